"""Certificates by site; remote nodes over TLS"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_tls'
down_revision = '20261122_critical_values'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.add_column(sa.Column('certificate_authority', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(
            sa.Column('certificate_demanded', sa.Boolean(), server_default=sa.false(), nullable=False)
        )

    with op.batch_alter_table('remote_node', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tls', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('certificate_authority', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('server_name', sa.String(length=255), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('remote_node', schema=None) as batch_op:
        batch_op.drop_column('server_name')
        batch_op.drop_column('certificate_authority')
        batch_op.drop_column('tls')

    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.drop_column('certificate_demanded')
        batch_op.drop_column('certificate_authority')
