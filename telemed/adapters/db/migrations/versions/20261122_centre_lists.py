"""A reading centre's own lines of critical values"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_centre_lists'
down_revision = '20261122_loops'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        # As a batch would, the table cannot be made anew: raised values point to its lines.
        op.execute(
            'ALTER TABLE critical_rule ADD COLUMN institution_id INTEGER'
            ' CONSTRAINT fk_critical_rule_institution_id REFERENCES institution (id)'
        )
        return
    with op.batch_alter_table('critical_rule') as table:
        table.add_column(sa.Column('institution_id', BIG))
        table.create_foreign_key(
            op.f('fk_critical_rule_institution_id'), 'institution', ['institution_id'], ['id']
        )


def downgrade() -> None:
    with op.batch_alter_table('critical_rule') as table:
        table.drop_constraint(op.f('fk_critical_rule_institution_id'), type_='foreignkey')
        table.drop_column('institution_id')
