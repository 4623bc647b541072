"""What somebody waits for goes to Odoo first: the index of due effects has them in that order.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WHERE = sa.text("state in ('due', 'claimed')")


def upgrade() -> None:
    op.drop_index("effects_due_idx", "effects")
    op.create_index(
        "effects_due_idx", "effects", ["kind", sa.text("(told_at is null)"), "due_at"], postgresql_where=_WHERE
    )


def downgrade() -> None:
    op.drop_index("effects_due_idx", "effects")
    op.create_index("effects_due_idx", "effects", ["kind", "due_at"], postgresql_where=_WHERE)
