"""The first schema.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "effects",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="delivery, order, activity, timeline"),
        sa.Column("subject", sa.BigInteger(), nullable=False, comment="the record in Odoo it is about"),
        sa.Column("payload", postgresql.JSONB(), nullable=False, comment="what Odoo shall show"),
        sa.Column(
            "version", sa.Integer(), server_default="1", nullable=False, comment="counts decisions under this key"
        ),
        sa.Column("state", sa.Text(), server_default="due", nullable=False, comment="due, claimed, done, parked"),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), nullable=False, comment="when due: not before; when claimed: until"
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "sent",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Odoo has been told at least once",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it is parked or late"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "told_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the message behind it arrived; null where nobody waits (replays)",
        ),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name="effects_pkey"),
        comment="What was decided, each once under its key.",
    )
    op.create_index(
        "effects_due_idx",
        "effects",
        ["kind", "due_at"],
        unique=False,
        postgresql_where=sa.text("state in ('due', 'claimed')"),
    )
    op.create_index(
        "effects_parked_idx", "effects", ["decided_at"], unique=False, postgresql_where=sa.text("state = 'parked'")
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="marks_pkey"),
        comment="How far something has got: the pull from Odoo, the pause after Odoo was away.",
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False, comment="made at the door, UUIDv7"),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), server_default="", nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "trace", sa.Text(), nullable=False, comment="correlation id, the same in logs, error reports and Odoo calls"
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="body and proving headers, AES-GCM"),
        sa.Column("state", sa.Text(), nullable=False, comment="received (to be ingested), done, parked"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it is parked, or what else a person should know"),
        sa.Column("events", sa.Integer(), server_default="0", nullable=False, comment="how many events it told of"),
        sa.PrimaryKeyConstraint("id", name="messages_pkey"),
        comment="What arrived, as bytes, with the headers that prove it. Append-only but for state.",
    )
    op.create_index(
        "messages_parked_idx",
        "messages",
        ["carrier", "received_at"],
        unique=False,
        postgresql_where=sa.text("state = 'parked'"),
    )
    op.create_index(
        ("messages_received_at_idx"),
        "messages",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("state = 'received'"),
    )
    op.create_table(
        "parcels",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("tracking_number", sa.Text(), nullable=False, comment="as the carrier prints it"),
        sa.Column(
            "journey",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="the carrier's own id of the journey, if any",
        ),
        sa.Column("number", sa.Text(), nullable=False, comment="the tracking number in the form it is compared in"),
        sa.Column(
            "state",
            postgresql.JSONB(),
            nullable=True,
            comment="where it stands, folded from its events: one entry a journey",
        ),
        sa.Column(
            "unmatched_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="parked: no delivery in Odoo carries its number yet",
        ),
        sa.Column(
            "look_up_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when Odoo is asked about it next, while unmatched",
        ),
        sa.PrimaryKeyConstraint("id", name="parcels_pkey"),
        sa.UniqueConstraint(
            "carrier", "tracking_number", "journey", name="parcels_carrier_tracking_number_journey_key"
        ),
        comment="One tracking number at one carrier.",
    )
    op.create_index(
        ("parcels_look_up_at_idx"),
        "parcels",
        ["look_up_at"],
        unique=False,
        postgresql_where=sa.text("unmatched_since is not null"),
    )
    op.create_index(("parcels_number_idx"), "parcels", ["number"], unique=False)
    op.create_table(
        "shipments",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False, comment="stock.picking in Odoo"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True, comment="sale.order in Odoo"),
        sa.Column("order_name", sa.Text(), nullable=True),
        sa.Column("company_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True, comment="who is responsible in Odoo"),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False, comment="when Odoo made the delivery"),
        sa.Column(
            "written_at", sa.DateTime(timezone=True), nullable=False, comment="Odoo's write_date when it was last read"
        ),
        sa.Column(
            "state", postgresql.JSONB(), nullable=True, comment="rolled up from its parcels; null until one is known"
        ),
        sa.PrimaryKeyConstraint("id", name="shipments_pkey"),
        comment="A delivery in Odoo, and where it stands.",
    )
    op.create_index(("shipments_order_id_idx"), "shipments", ["order_id"], unique=False)
    op.create_table(
        "events",
        sa.Column("key", sa.Uuid(), nullable=False, comment="content-based: the same event reported twice has one row"),
        sa.Column("parcel_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False, comment="the message that told of it first"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, comment="when that message arrived"),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False, comment="the moment to order by"),
        sa.Column("milestone", sa.Text(), nullable=False),
        sa.Column("event", postgresql.JSONB(), nullable=False, comment="the canonical event, docs/schema/event-1.json"),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcels.id"], name="events_parcel_id_fkey"),
        sa.PrimaryKeyConstraint("key", name="events_pkey"),
        comment="What happened, canonical. Append-only.",
    )
    op.create_index(("events_parcel_id_idx"), "events", ["parcel_id"], unique=False)
    op.create_index(
        "events_unknown_idx", "events", ["received_at"], unique=False, postgresql_where=sa.text("milestone = 'unknown'")
    )
    op.create_table(
        "numbers",
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False, comment="a tracking number the delivery carries, as compared"),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name="numbers_shipment_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shipment_id", "number", name="numbers_pkey"),
        comment="The index of tracking numbers, kept from Odoo.",
    )
    op.create_index(("numbers_number_idx"), "numbers", ["number"], unique=False)


def downgrade() -> None:
    for table in ("marks", "effects", "numbers", "shipments", "events", "parcels", "messages"):
        op.drop_table(table)
