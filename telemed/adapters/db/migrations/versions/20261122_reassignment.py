"""Corrections of identity; withdrawn reports; notices to one person"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_reassignment'
down_revision = '20261122_tls'
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('reassignment',
    sa.Column('id', _KEY, autoincrement=True, nullable=False),
    sa.Column('uid', sa.String(length=36), nullable=False),
    sa.Column('institution_id', _KEY, nullable=False),
    sa.Column('consortium_id', _KEY, nullable=False),
    sa.Column('from_study_id', _KEY, nullable=False),
    sa.Column('study_id', _KEY, nullable=False),
    sa.Column('object_id', _KEY, nullable=True),
    sa.Column('from_patient_id', _KEY, nullable=False),
    sa.Column('to_patient_id', _KEY, nullable=False),
    sa.Column('received_as', sa.String(length=64), server_default='', nullable=False),
    sa.Column('reason', sa.String(length=400), server_default='', nullable=False),
    sa.Column('made_by', _KEY, nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['institution_id'], ['institution.id'], name=op.f('fk_reassignment_institution_id')),
    sa.ForeignKeyConstraint(['consortium_id'], ['institution.id'], name=op.f('fk_reassignment_consortium_id')),
    sa.ForeignKeyConstraint(['from_study_id'], ['study.id'], name=op.f('fk_reassignment_from_study_id')),
    sa.ForeignKeyConstraint(['study_id'], ['study.id'], name=op.f('fk_reassignment_study_id')),
    sa.ForeignKeyConstraint(['object_id'], ['stored_object.id'], name=op.f('fk_reassignment_object_id')),
    sa.ForeignKeyConstraint(['from_patient_id'], ['patient.id'], name=op.f('fk_reassignment_from_patient_id')),
    sa.ForeignKeyConstraint(['to_patient_id'], ['patient.id'], name=op.f('fk_reassignment_to_patient_id')),
    sa.ForeignKeyConstraint(['made_by'], ['user_account.id'], name=op.f('fk_reassignment_made_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reassignment')),
    sa.UniqueConstraint('uid', name=op.f('uq_reassignment_uid'))
    )
    with op.batch_alter_table('reassignment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reassignment_from_study_id'), ['from_study_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reassignment_study_id'), ['study_id'], unique=False)
    with op.batch_alter_table('report', schema=None) as batch_op:
        batch_op.add_column(sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('withdrawn_by', _KEY, nullable=True))
        batch_op.add_column(sa.Column('withdrawal_reason', sa.String(length=400), server_default='', nullable=False))
        batch_op.create_foreign_key(batch_op.f('fk_report_withdrawn_by'), 'user_account', ['withdrawn_by'], ['id'])
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.add_column(sa.Column('user_id', _KEY, nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_notice_user_id'), 'user_account', ['user_id'], ['id'])
        batch_op.create_index(batch_op.f('ix_notice_user_id'), ['user_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_notice_user_id'))
        batch_op.drop_constraint(batch_op.f('fk_notice_user_id'), type_='foreignkey')
        batch_op.drop_column('user_id')
    with op.batch_alter_table('report', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_report_withdrawn_by'), type_='foreignkey')
        batch_op.drop_column('withdrawal_reason')
        batch_op.drop_column('withdrawn_by')
        batch_op.drop_column('withdrawn_at')
    op.drop_table('reassignment')
