"""Jobs in the order they are claimed"""

from alembic import op

revision = '20261122_job_order'
down_revision = '20261122_first_tables'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_job_due', table_name='job')
    op.create_index('ix_job_order', 'job', ['state', 'rank', 'due_at', 'id'])
    op.create_index('ix_job_done_at', 'job', ['done_at'])


def downgrade() -> None:
    op.drop_index('ix_job_done_at', table_name='job')
    op.drop_index('ix_job_order', table_name='job')
    op.create_index('ix_job_due', 'job', ['state', 'due_at', 'rank'])
