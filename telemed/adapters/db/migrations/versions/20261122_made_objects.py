"""Objects made of what models say: whose they are, which a site wants, where they go"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_made_objects'
down_revision = '20261122_writing'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('made_objects', sa.String(length=32), server_default='reports', nullable=False)
        )

    with op.batch_alter_table('stored_object', schema=None) as batch_op:
        batch_op.add_column(sa.Column('source_uid', sa.String(length=64), server_default='', nullable=False))

    with op.batch_alter_table('forward_rule', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('with_made', sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table('forward_rule', schema=None) as batch_op:
        batch_op.drop_column('with_made')

    with op.batch_alter_table('stored_object', schema=None) as batch_op:
        batch_op.drop_column('source_uid')

    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.drop_column('made_objects')
