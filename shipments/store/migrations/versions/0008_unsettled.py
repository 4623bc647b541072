"""News that is stored and waits to be settled, where many messages come.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unsettled",
        sa.Column("parcel_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event_key", sa.Uuid, primary_key=True, comment="an event that is news about it"),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column(
            "told_at",
            sa.DateTime(timezone=True),
            comment="when the oldest message behind it arrived; null where nobody waits (replays)",
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Index("unsettled_lane_due_at_idx", "lane", "due_at"),
        comment="News that is stored and waits to be settled, where many messages come.",
        postgresql_with={"autovacuum_vacuum_scale_factor": 0.02},
    )


def downgrade() -> None:
    op.drop_table("unsettled")
