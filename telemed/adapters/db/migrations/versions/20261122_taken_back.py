"""What reached the family doctor of a resident who was somebody else is taken back"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_taken_back'
down_revision = '20261122_repeats'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('delivery', sa.Column('taken_back_at', sa.DateTime(timezone=True)))
    op.add_column('critical_alert', sa.Column('taken_back_at', sa.DateTime(timezone=True)))
    op.add_column('patient', sa.Column('linked_at', sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.drop_column('linked_at')
    for table in ('critical_alert', 'delivery'):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column('taken_back_at')
