"""What Odoo shows and what people changed there.

Revision ID: 0006
Revises: 0005
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shipments.correlation import comparable

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_Columns = tuple[tuple[str, sa.types.TypeEngine[Any], str], ...]

_SHIPMENTS: _Columns = (
    ("operation", sa.Text(), "Odoo's code of its type of operation: outgoing, incoming, internal, dropship"),
    ("stage", sa.Text(), "Odoo's state of the transfer, such as assigned, done, cancel"),
    ("return_of", sa.BigInteger(), "the delivery it was made from, as a return or an exchange"),
    ("backorder_of", sa.BigInteger(), "the delivery it was split from"),
)
_NUMBERS: _Columns = (
    ("leg", sa.Text(), "return: the parcel comes back under this number; null otherwise"),
    ("is_package", sa.Boolean(), "it is a package's name"),
    ("by_person", sa.Boolean(), "a person said so"),
    ("aside", sa.Text(), "why another delivery with the number speaks for its parcel; null if this one does"),
)

_LONG_FORMS = r"^(00\d{18}|96\d{20}|420\d{27}|420\d{31}|\d{14}[0-9A-Z])$"


def _shorten_numbers(table: str) -> None:
    """Numbers are compared without what a barcode has around them; those of deliveries come with the next pull."""
    connection = op.get_bind()
    numbers = sa.text(f"select distinct number from {table} where number ~ :form")  # noqa: S608, a name from above
    for (number,) in connection.execute(numbers, {"form": _LONG_FORMS}).all():
        if (short := comparable(number)) != number:
            values = {"short": short, "number": number}
            if table == "polls":  # one row for a carrier and a number
                drop = """
                    delete from polls where number = :number and exists (
                        select 1 from polls p where p.carrier = polls.carrier and p.number = :short)
                """
                connection.execute(sa.text(drop), values)
            rename = f"update {table} set number = :short where number = :number"  # noqa: S608, likewise
            connection.execute(sa.text(rename), values)


def upgrade() -> None:
    """Each part adds its columns and tables here."""
    op.add_column(
        "parcels",
        sa.Column(
            "companies",
            postgresql.ARRAY(sa.Integer()),
            comment="of all accounts that told of it, 0 for one of none; null: none has any",
        ),
    )
    op.create_table(
        "keeps",
        sa.Column("key", sa.Text(collation="C"), nullable=False, comment="of the effect that says where it stands"),
        sa.Column("why", sa.Text(), nullable=False, comment="changed, locked"),
        sa.Column("kept_by", sa.Text(), nullable=False, comment="the name Odoo shows of who wrote the record last"),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="keeps_pkey"),
        comment="Deliveries and orders that people keep as they are in Odoo.",
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), nullable=True, comment="null while it runs, or waits to go on"
        ),
        sa.Column(
            "report",
            postgresql.JSONB(),
            nullable=False,
            comment="what was compared, found and mended, and how far it has come",
        ),
        sa.PrimaryKeyConstraint("id", name="reports_pkey"),
        comment="Comparisons of Odoo with the store, the last few.",
    )
    for name, kind, comment in _SHIPMENTS:
        op.add_column("shipments", sa.Column(name, kind, comment=comment))
    op.create_index(
        "shipments_return_of_idx", "shipments", ["return_of"], postgresql_where=sa.text("return_of is not null")
    )
    for name, kind, comment in _NUMBERS:
        flag = isinstance(kind, sa.Boolean)
        default = sa.text("false") if flag else None
        op.add_column("numbers", sa.Column(name, kind, nullable=not flag, server_default=default, comment=comment))
    op.create_table(
        "delivery_choices",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("number", sa.Text(), nullable=False, comment="the tracking number, as compared"),
        sa.Column("shipment_id", sa.BigInteger(), comment="the delivery it belongs to; null takes the choice back"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("chosen_by", sa.Text(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        comment="What people say of a number's delivery, over a reference. Append-only; the last one counts.",
    )
    op.create_index("delivery_choices_number_id_idx", "delivery_choices", ["number", "id"])
    op.add_column(
        "effects",
        sa.Column(
            "again_at",
            sa.DateTime(timezone=True),
            comment="when the clock makes it due again although nothing is decided anew",
        ),
    )
    op.create_index("effects_again_idx", "effects", ["again_at"], postgresql_where=sa.text("again_at is not null"))
    op.create_index("effects_tasks_idx", "effects", ["subject"], postgresql_where=sa.text("kind = 'activity'"))
    op.create_index(
        "effects_trouble_idx",
        "effects",
        [sa.text("(payload ->> 'exception_due')")],
        postgresql_where=sa.text("kind = 'delivery' and payload ->> 'exception_due' is not null"),
    )
    op.create_table(
        "odoo_costs",
        sa.Column("day", sa.Date(), primary_key=True, comment="of UTC, by the database's clock"),
        sa.Column("purpose", sa.Text(), primary_key=True, comment="the stage that called, or command"),
        sa.Column("model", sa.Text(), primary_key=True),
        sa.Column("method", sa.Text(), primary_key=True),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False, comment="calls among them that were not done"),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="rows sent, or else received"),
        sa.Column("sent_bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False, comment="until the answers were there"),
        comment="What Odoo was asked, added up.",
    )
    op.execute("delete from marks where name = 'odoo_pulled'")  # every delivery with a number is read once more
    for table in ("parcels", "holds", "carrier_choices", "polls"):
        _shorten_numbers(table)


def downgrade() -> None:
    """And takes them away here."""
    op.drop_column("parcels", "companies")
    for index in ("effects_trouble_idx", "effects_tasks_idx", "effects_again_idx"):
        op.drop_index(index, "effects")
    op.drop_column("effects", "again_at")
    op.drop_table("odoo_costs")
    op.drop_table("reports")
    op.drop_table("keeps")
    op.drop_table("delivery_choices")
    for name, _, _ in _NUMBERS:
        op.drop_column("numbers", name)
    for name, _, _ in _SHIPMENTS:
        op.drop_column("shipments", name)
