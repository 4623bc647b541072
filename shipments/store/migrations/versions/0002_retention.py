"""Retention: legal holds, closed deliveries, keys of effects in the order of their bytes, vacuum in time.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MARKS = "How far something has got: the pull from Odoo, the pause after Odoo was away"


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Text(), nullable=True, comment="the tracking number that is held, as compared; or"),
        sa.Column(
            "carrier",
            sa.Text(),
            nullable=True,
            comment="the carrier, all of whose messages and parcels are held that were heard of",
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True, comment="from then on, null is ever since"),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True, comment="until before then, null is for ever"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(number is null) <> (carrier is null)", name="holds_number_or_carrier"),
        sa.PrimaryKeyConstraint("id", name="holds_pkey"),
        comment="Legal holds: what may not be pruned, whatever its age.",
    )
    op.create_index("holds_number_idx", "holds", ["number"], unique=False)
    op.add_column(
        "shipments",
        sa.Column(
            "closed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when what was told of it was pruned; its numbers match nothing any more",
        ),
    )
    op.alter_column(
        "effects",
        "key",
        type_=sa.Text(collation="C"),
        existing_type=sa.Text(),
        existing_nullable=False,
        comment="ordered by bytes, as Python orders it",
    )
    op.create_table_comment("marks", f"{_MARKS}, the walks of prune.", existing_comment=f"{_MARKS}.")
    for table in ("messages", "events", "parcels", "shipments", "effects"):
        op.execute(f"alter table {table} set (autovacuum_vacuum_scale_factor = 0.02)")
    for table in ("parcels", "shipments"):
        op.execute(f"alter table {table} set (fillfactor = 70)")


def downgrade() -> None:
    for table in ("messages", "events", "parcels", "shipments", "effects"):
        op.execute(f"alter table {table} reset (autovacuum_vacuum_scale_factor, fillfactor)")
    op.create_table_comment("marks", f"{_MARKS}.", existing_comment=f"{_MARKS}, the walks of prune.")
    op.alter_column(
        "effects",
        "key",
        type_=sa.Text(collation="default"),
        existing_type=sa.Text(),
        existing_nullable=False,
        comment=None,
    )
    op.drop_column("shipments", "closed_at")
    op.drop_table("holds")
