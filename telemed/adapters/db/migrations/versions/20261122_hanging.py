"""How a reading centre hangs its pictures"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_hanging'
down_revision = '20261122_flags'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'hanging_rule',
        sa.Column('id', BIG, autoincrement=True, nullable=False),
        sa.Column('uid', sa.String(36), nullable=False),
        sa.Column('consortium_id', BIG, nullable=False),
        sa.Column('institution_id', BIG, nullable=False),
        sa.Column('modality', sa.String(16), server_default='', nullable=False),
        sa.Column('body_part', sa.String(64), server_default='', nullable=False),
        sa.Column('prior', sa.Boolean(), nullable=False),
        sa.Column('window', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['consortium_id'], ['institution.id'], name=op.f('fk_hanging_rule_consortium_id')
        ),
        sa.ForeignKeyConstraint(
            ['institution_id'], ['institution.id'], name=op.f('fk_hanging_rule_institution_id')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_hanging_rule')),
        sa.UniqueConstraint('uid', name=op.f('uq_hanging_rule_uid')),
        sa.UniqueConstraint(
            'institution_id',
            'modality',
            'body_part',
            name=op.f('uq_hanging_rule_institution_id_modality_body_part'),
        ),
    )


def downgrade() -> None:
    op.drop_table('hanging_rule')
