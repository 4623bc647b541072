"""Polls: which numbers carriers are asked about; and the delivery method, by which Odoo names the carrier.

Odoo's deliveries are read once more from the beginning, since what is here of them lacks the method.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "polls",
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False, comment="the tracking number in the form it is compared in"),
        sa.Column("tracking_number", sa.Text(), nullable=False, comment="as the carrier is asked for it"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="when it began to be of interest"),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it is looked at next; while it is asked about: until; null has stopped",
        ),
        sa.Column(
            "wanted",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="a person asks: whatever is due",
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True, comment="when the carrier was asked last"),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False, comment="how often it was asked about"),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=True,
            comment="what came of it last: news, same, not_found, bad_number, unreadable",
        ),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=True,
            comment="of the last answer with parts that could not be read: it is kept once",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it has stopped"),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("carrier", "number", name="polls_pkey"),
        comment="What carriers are asked about, and when next. A row is made when somebody first looks, not by ingest.",
    )
    op.create_index(
        "polls_carrier_due_at_idx",
        "polls",
        ["carrier", "due_at"],
        unique=False,
        postgresql_where=sa.text("due_at is not null"),
    )
    op.create_index(
        "polls_stopped_at_idx",
        "polls",
        ["stopped_at"],
        unique=False,
        postgresql_where=sa.text("stopped_at is not null"),
    )
    op.add_column(
        "shipments",
        sa.Column(
            "delivery_method", sa.Text(), nullable=True, comment="the name of Odoo's delivery method, if it has one"
        ),
    )
    op.create_index(
        "shipments_written_at_idx",
        "shipments",
        ["written_at"],
        unique=False,
        postgresql_where=sa.text("delivery_method is not null"),
    )
    op.execute("delete from marks where name = 'odoo_pulled'")


def downgrade() -> None:
    op.drop_column("shipments", "delivery_method")
    op.drop_table("polls")
