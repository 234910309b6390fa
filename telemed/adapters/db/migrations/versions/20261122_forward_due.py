"""When an object that was not taken is asked for again"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_forward_due'
down_revision = '20261122_hanging'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('forward_item', sa.Column('due_at', sa.DateTime(timezone=True)))
    # What is being tried already goes behind what was never tried, as before.
    op.execute("UPDATE forward_item SET due_at = created_at WHERE state = 'waiting' AND attempts > 0")


def downgrade() -> None:
    with op.batch_alter_table('forward_item', schema=None) as batch_op:
        batch_op.drop_column('due_at')
