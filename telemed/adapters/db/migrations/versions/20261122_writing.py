"""The hold of a signature, and the parts a centre asks of its reports"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_writing'
down_revision = '20261122_worklist'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
UNREAD = "state = 'waiting' OR state = 'reading'"
OPEN = f"{UNREAD} OR state = 'signing' OR state = 'awaiting_review'"
OPEN_BEFORE = f"{UNREAD} OR state = 'awaiting_review'"
ORDER = ['effective_priority', 'deadline', 'arrived_at', 'id']
PLACE = 'reporting_institution_id'
# SQLite prefers, of two that fit, the one made last: the narrower ones come after the one for all that is open.
NARROWER = {
    'ix_case_waiting': (UNREAD, [PLACE, *ORDER]),
    'ix_case_review': ("state = 'awaiting_review'", [PLACE, *ORDER]),
    'ix_case_mine': ('claimed_by IS NOT NULL', ['claimed_by', *ORDER]),
}


def upgrade() -> None:
    op.add_column('institution', sa.Column('hold_seconds', sa.Integer(), server_default='10', nullable=False))
    op.add_column('report', sa.Column('hold_until', sa.DateTime(timezone=True)))
    _open_index(OPEN)
    op.create_table(
        'required_part',
        sa.Column('id', BIG, autoincrement=True, nullable=False),
        sa.Column('uid', sa.String(36), nullable=False),
        sa.Column('consortium_id', BIG, nullable=False),
        sa.Column('modality', sa.String(16), server_default='', nullable=False),
        sa.Column('body_part', sa.String(64), server_default='', nullable=False),
        sa.Column('part', sa.String(32), nullable=False),
        sa.Column('demanded', sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ['consortium_id'], ['institution.id'], name=op.f('fk_required_part_consortium_id')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_required_part')),
        sa.UniqueConstraint('uid', name=op.f('uq_required_part_uid')),
        sa.UniqueConstraint(
            'consortium_id',
            'modality',
            'body_part',
            'part',
            name=op.f('uq_required_part_consortium_id_modality_body_part_part'),
        ),
    )


def _open_index(condition: str) -> None:
    for name, (where, columns) in {'ix_case_open': (condition, [PLACE, *ORDER]), **NARROWER}.items():
        op.drop_index(name, table_name='reading_case')
        text = sa.text(where)
        op.create_index(name, 'reading_case', columns, sqlite_where=text, postgresql_where=text)


def downgrade() -> None:
    op.drop_table('required_part')
    _open_index(OPEN_BEFORE)
    with op.batch_alter_table('report', schema=None) as batch_op:
        batch_op.drop_column('hold_until')
    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.drop_column('hold_seconds')
