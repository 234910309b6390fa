"""The number under which the objects of a study came"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_patient_number'
down_revision = '20261122_centre_lists'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('study', schema=None) as batch_op:
        batch_op.add_column(sa.Column('patient_number', sa.String(length=64), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('study', schema=None) as batch_op:
        batch_op.drop_column('patient_number')
