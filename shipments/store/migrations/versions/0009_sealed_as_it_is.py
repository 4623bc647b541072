"""What is sealed is as good as random: PostgreSQL need not try to compress it before it puts it aside.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table messages alter column sealed set storage external")


def downgrade() -> None:
    op.execute("alter table messages alter column sealed set storage extended")
