"""Who gave out a patient number; a site's own limits of its worklist and of commitment reports"""

from alembic import op
import sqlalchemy as sa

revision = '20261122_site_rules'
down_revision = '20261122_steps_begun'
branch_labels = None
depends_on = None

_LIMITS = {'worklist_days': '7', 'step_hours': '12', 'commitment_days': '7'}


def upgrade() -> None:
    with op.batch_alter_table('institution', schema=None) as batch_op:
        batch_op.add_column(sa.Column('issuer_names', sa.Text(), server_default='', nullable=False))
        for name, usual in _LIMITS.items():
            batch_op.add_column(sa.Column(name, sa.Integer(), server_default=usual, nullable=False))

    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.add_column(sa.Column('issuer', sa.String(length=64), server_default='', nullable=False))
        batch_op.drop_constraint(batch_op.f('uq_patient_institution_id_patient_id'), type_='unique')
        batch_op.create_unique_constraint(
            batch_op.f('uq_patient_institution_id_issuer_patient_id'), ['institution_id', 'issuer', 'patient_id']
        )


def downgrade() -> None:
    with op.batch_alter_table('patient', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_patient_institution_id_issuer_patient_id'), type_='unique')
        batch_op.create_unique_constraint(
            batch_op.f('uq_patient_institution_id_patient_id'), ['institution_id', 'patient_id']
        )
        batch_op.drop_column('issuer')

    with op.batch_alter_table('institution', schema=None) as batch_op:
        for name in reversed(_LIMITS):
            batch_op.drop_column(name)
        batch_op.drop_column('issuer_names')
