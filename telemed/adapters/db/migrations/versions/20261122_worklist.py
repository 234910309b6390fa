"""The list by views and the search by names: an index for each view, names with their keys"""

import sqlalchemy as sa
from alembic import op

from telemed.domain.name_keys import name_keys, search_text

revision = '20261122_worklist'
down_revision = '20261122_reassignment'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TEXT = sa.String(120).with_variant(sa.String(120, collation='C'), 'postgresql')
UNREAD = "state = 'waiting' OR state = 'reading'"
OPEN = f"{UNREAD} OR state = 'awaiting_review'"
DONE = "state = 'final' OR state = 'repeat_requested' OR state = 'closed'"
ORDER = ['effective_priority', 'deadline', 'arrived_at', 'id']
PLACE = 'reporting_institution_id'
INDEXES = {
    'ix_case_open': (OPEN, [PLACE, *ORDER]),
    'ix_case_waiting': (UNREAD, [PLACE, *ORDER]),
    'ix_case_review': ("state = 'awaiting_review'", [PLACE, *ORDER]),
    'ix_case_returned': ('returned_at IS NOT NULL', [PLACE, *ORDER]),
    'ix_case_critical': ('critical_tier IS NOT NULL', [PLACE, *ORDER]),
    'ix_case_mine': ('claimed_by IS NOT NULL', ['claimed_by', *ORDER]),
    'ix_case_done': (DONE, [PLACE, 'id', 'name_id']),
    'ix_case_name': ('name_id IS NOT NULL', [PLACE, 'name_id', 'id']),
}


def upgrade() -> None:
    op.create_table(
        'person_name',
        sa.Column('id', BIG, autoincrement=True, nullable=False),
        sa.Column('name', TEXT, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_person_name')),
        sa.UniqueConstraint('name', name=op.f('uq_person_name_name')),
    )
    op.create_table(
        'person_name_key',
        sa.Column('key', TEXT, nullable=False),
        sa.Column('name_id', BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(['name_id'], ['person_name.id'], name=op.f('fk_person_name_key_name_id')),
        sa.PrimaryKeyConstraint('key', 'name_id', name=op.f('pk_person_name_key')),
    )
    op.add_column('reading_case', sa.Column('returned_at', sa.DateTime(timezone=True)))
    op.add_column('reading_case', sa.Column('critical_tier', sa.String(32)))
    op.add_column('reading_case', sa.Column('name_id', BIG))
    _fill()
    op.drop_index('ix_case_list', table_name='reading_case')
    for name, (where, columns) in INDEXES.items():
        condition = sa.text(where)
        op.create_index(
            name, 'reading_case', columns, sqlite_where=condition, postgresql_where=condition
        )
    op.create_index('ix_resident_last4', 'resident', ['consortium_id', 'id_card_last4'])


def _fill() -> None:
    """What is there already: the names of all patients, and which cases stand under an open critical value."""
    connection = op.get_bind()
    names = sa.table('person_name', sa.column('id'), sa.column('name'))
    keys = sa.table('person_name_key', sa.column('key'), sa.column('name_id'))
    known: dict[str, int] = {}
    patients = connection.execute(sa.text('SELECT id, name, name_pinyin, name_initials FROM patient')).all()
    for number, name, readings, initials in patients:
        plain = search_text(name)
        if not plain:
            continue
        if plain not in known:
            known[plain] = len(known) + 1
            connection.execute(names.insert().values(id=known[plain], name=plain))
            found = sorted(name_keys(name, readings, initials))
            connection.execute(keys.insert(), [{'key': key, 'name_id': known[plain]} for key in found])
        connection.execute(
            sa.text('UPDATE reading_case SET name_id = :name WHERE patient_id = :patient'),
            {'name': known[plain], 'patient': number},
        )
    if known and connection.dialect.name == 'postgresql':
        connection.execute(
            sa.text("SELECT setval(pg_get_serial_sequence('person_name', 'id'), :last)"), {'last': len(known)}
        )
    connection.execute(
        sa.text(
            'UPDATE reading_case SET critical_tier = (SELECT min(tier) FROM critical_value'
            ' WHERE case_id = reading_case.id AND closed_at IS NULL)'
            ' WHERE id IN (SELECT case_id FROM critical_value WHERE closed_at IS NULL)'
        )
    )
    connection.execute(
        sa.text(
            'UPDATE reading_case SET returned_at = (SELECT max(updated_at) FROM report'
            " WHERE case_id = reading_case.id AND state = 'draft' AND review_comment <> '')"
            " WHERE state IN ('waiting', 'reading') AND id IN"
            " (SELECT case_id FROM report WHERE state = 'draft' AND review_comment <> '')"
        )
    )


def downgrade() -> None:
    op.drop_index('ix_resident_last4', table_name='resident')
    for name in INDEXES:
        op.drop_index(name, table_name='reading_case')
    op.create_index('ix_case_list', 'reading_case', [PLACE, 'state', *ORDER])
    for name in ('name_id', 'critical_tier', 'returned_at'):
        op.drop_column('reading_case', name)
    op.drop_table('person_name_key')
    op.drop_table('person_name')
