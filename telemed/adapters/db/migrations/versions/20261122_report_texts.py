"""Templates and short codes of a centre; what a reviewing doctor changed"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '20261122_report_texts'
down_revision = '20261122_made_objects'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('report', sa.Column('submitted', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')))
    op.create_table(
        'report_text',
        sa.Column('id', BIG, autoincrement=True, nullable=False),
        sa.Column('uid', sa.String(36), nullable=False),
        sa.Column('consortium_id', BIG, nullable=False),
        sa.Column('kind', sa.String(32), nullable=False),
        sa.Column('code', sa.String(16), nullable=False),
        sa.Column('title', sa.String(64), server_default='', nullable=False),
        sa.Column('modality', sa.String(16), server_default='', nullable=False),
        sa.Column('body_part', sa.String(64), server_default='', nullable=False),
        sa.Column('findings', sa.Text(), server_default='', nullable=False),
        sa.Column('impression', sa.Text(), server_default='', nullable=False),
        sa.Column('recommendation', sa.Text(), server_default='', nullable=False),
        sa.Column('abnormal', sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ['consortium_id'], ['institution.id'], name=op.f('fk_report_text_consortium_id')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_report_text')),
        sa.UniqueConstraint('uid', name=op.f('uq_report_text_uid')),
        sa.UniqueConstraint('consortium_id', 'code', name=op.f('uq_report_text_consortium_id_code')),
    )


def downgrade() -> None:
    op.drop_table('report_text')
    with op.batch_alter_table('report', schema=None) as batch_op:
        batch_op.drop_column('submitted')
