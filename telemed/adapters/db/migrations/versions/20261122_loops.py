"""A repeat with its reason and its place in the picture; who asks for a case that another holds"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '20261122_loops'
down_revision = '20261122_report_texts'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'reading_case', sa.Column('repeat_code', sa.String(32), server_default='', nullable=False)
    )
    op.add_column(
        'reading_case',
        sa.Column('repeat_mark', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), 'postgresql')),
    )
    op.add_column(
        'reading_case', sa.Column('asked_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'))
    )


def downgrade() -> None:
    for name in ('asked_by', 'repeat_mark', 'repeat_code'):
        op.drop_column('reading_case', name)
