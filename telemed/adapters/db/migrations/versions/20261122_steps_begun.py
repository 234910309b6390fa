"""When a machine began a step: one that it never ended is listed again"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_steps_begun'
down_revision = '20261122_patient_number'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('scheduled_step', sa.Column('begun_at', sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table('scheduled_step', schema=None) as batch_op:
        batch_op.drop_column('begun_at')
