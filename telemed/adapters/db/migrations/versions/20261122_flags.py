"""What an answer raised stands beside it: a list reads that of fifty answers, and not the answers"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '20261122_flags'
down_revision = '20261122_site_rules'
branch_labels = None
depends_on = None

_RAISED = {
    'sqlite': """
        SELECT json_group_array(json_extract(value, '$.name')) FROM json_each(answer, '$.findings')
        WHERE json_extract(value, '$.flag')
    """,
    'postgresql': """
        SELECT coalesce(jsonb_agg(one -> 'name' ORDER BY place), '[]')
        FROM jsonb_array_elements(answer -> 'findings') WITH ORDINALITY AS found(one, place)
        WHERE (one ->> 'flag')::boolean
    """,
}


def upgrade() -> None:
    kind = sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')
    op.add_column('analysis', sa.Column('flags', kind, nullable=False, server_default='[]'))
    op.execute(f"UPDATE analysis SET flags = ({_RAISED[op.get_bind().dialect.name]})")


def downgrade() -> None:
    with op.batch_alter_table('analysis', schema=None) as batch_op:
        batch_op.drop_column('flags')
