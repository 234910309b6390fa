"""What a site is asked to make again stands until it was made, or somebody says why not"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_repeats'
down_revision = '20261122_forward_due'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
COLUMNS = (
    ('repeat_asked_at', sa.DateTime(timezone=True)),
    ('repeat_asked_by', BIG),
    ('repeat_answer_id', BIG),
    ('repeat_closed_at', sa.DateTime(timezone=True)),
    ('repeat_closed_by', BIG),
)
INDEXES = {
    'ix_case_repeat': ("state = 'repeat_requested'", ['institution_id', 'repeat_closed_at']),
    'ix_case_repeat_answer': ('repeat_answer_id IS NOT NULL', ['repeat_answer_id']),
}
_LAST = """(
    SELECT max({what}) FROM event
    WHERE event.case_id = reading_case.id AND event.kind = 'case.repeat_requested'
)"""


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column('reading_case', sa.Column(name, kind))
    op.add_column(
        'reading_case', sa.Column('repeat_closed_because', sa.String(400), server_default='', nullable=False)
    )
    for name, (where, columns) in INDEXES.items():
        condition = sa.text(where)
        op.create_index(
            name, 'reading_case', columns, sqlite_where=condition, postgresql_where=condition
        )
    # Nobody can tell of the old ones whether they were made: each is shown until a person says so.
    op.execute(
        f"UPDATE reading_case SET repeat_asked_at = coalesce({_LAST.format(what='event.at')}, arrived_at),"
        f" repeat_asked_by = {_LAST.format(what='event.actor_user_id')} WHERE state = 'repeat_requested'"
    )


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name='reading_case')
    op.drop_column('reading_case', 'repeat_closed_because')
    for name, _ in COLUMNS:
        op.drop_column('reading_case', name)
