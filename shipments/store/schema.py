"""The tables. What each is for stands in its comment; the migrations beside this make and change them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
    }
)

_MOMENT = DateTime(timezone=True)

# Of messages a ninetieth is pruned a day, of the others less, and effects change several times before they are done.
# By its default PostgreSQL would look for what can be used again only after a fifth of a table has gone.
_VACUUMED = {"autovacuum_vacuum_scale_factor": 0.02}

# Rows that change with each event keep room beside them: then their indexes need no change (docs/decisions/0011).
_ROOMY = _VACUUMED | {"fillfactor": 70}

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True, comment="made at the door, UUIDv7"),
    Column("carrier", Text, nullable=False),
    Column("account", Text, nullable=False, server_default=""),
    Column("lane", Text, nullable=False),
    Column("received_at", _MOMENT, nullable=False),
    Column("trace", Text, nullable=False, comment="correlation id, the same in logs, error reports and Odoo calls"),
    Column("sealed", LargeBinary, nullable=False, comment="body and proving headers, AES-GCM"),
    Column("state", Text, nullable=False, comment="received (to be ingested), done, parked"),
    Column("reason", Text, comment="why it is parked, or what else a person should know"),
    Column("events", Integer, nullable=False, server_default="0", comment="how many events it told of"),
    Index(None, "received_at", postgresql_where=text("state = 'received'")),
    Index("messages_parked_idx", "carrier", "received_at", postgresql_where=text("state = 'parked'")),
    postgresql_with=_VACUUMED,
    comment="What arrived, as bytes, with the headers that prove it. Append-only but for state.",
)

parcels = Table(
    "parcels",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("carrier", Text, nullable=False),
    Column("tracking_number", Text, nullable=False, comment="as the carrier prints it"),
    Column("journey", Text, nullable=False, server_default="", comment="the carrier's own id of the journey, if any"),
    Column("number", Text, nullable=False, comment="the tracking number in the form it is compared in"),
    Column("state", JSONB, comment="where it stands, folded from its events: one entry a journey"),
    Column("unmatched_since", _MOMENT, comment="parked: no delivery in Odoo carries its number yet"),
    Column("look_up_at", _MOMENT, comment="when Odoo is asked about it next, while unmatched"),
    Column("candidates", Text, comment="why no delivery was chosen, and which fit"),
    Column(
        "companies", ARRAY(Integer), comment="of all accounts that told of it, 0 for one of none; null: none has any"
    ),
    UniqueConstraint("carrier", "tracking_number", "journey"),
    Index(None, "number"),
    Index(None, "look_up_at", postgresql_where=text("unmatched_since is not null")),
    postgresql_with=_ROOMY,
    comment="One tracking number at one carrier.",
)

events = Table(
    "events",
    metadata,
    Column("key", Uuid, primary_key=True, comment="content-based: the same event reported twice has one row"),
    Column("parcel_id", BigInteger, nullable=False, comment="of a parcel, which is locked while events are added"),
    Column("message_id", Uuid, nullable=False, comment="the message that told of it first"),
    Column("received_at", _MOMENT, nullable=False, comment="when that message arrived"),
    Column("instant", _MOMENT, nullable=False, comment="the moment to order by"),
    Column("milestone", Text, nullable=False),
    Column("event", JSONB, nullable=False, comment="the canonical event, docs/schema/event-1.json"),
    Index(None, "parcel_id"),
    Index("events_unknown_idx", "received_at", postgresql_where=text("milestone = 'unknown'")),
    postgresql_with=_VACUUMED,
    comment="What happened, canonical. Append-only.",
)

unsettled = Table(
    "unsettled",
    metadata,
    Column("parcel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("event_key", Uuid, primary_key=True, comment="an event that is news about it"),
    Column("lane", Text, nullable=False),
    Column("told_at", _MOMENT, comment="when the oldest message behind it arrived; null where nobody waits (replays)"),
    Column("due_at", _MOMENT, nullable=False),
    Index(None, "lane", "due_at"),
    postgresql_with=_VACUUMED,
    comment="News that is stored and waits to be settled, where many messages come.",
)

shipments = Table(
    "shipments",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="stock.picking in Odoo"),
    Column("name", Text, nullable=False),
    Column("order_id", BigInteger, comment="sale.order in Odoo"),
    Column("order_name", Text),
    Column("company_id", BigInteger),
    Column("user_id", BigInteger, comment="who is responsible in Odoo"),
    Column("registered_at", _MOMENT, nullable=False, comment="when Odoo made the delivery"),
    Column("written_at", _MOMENT, nullable=False, comment="Odoo's write_date when it was last read"),
    Column("state", JSONB, comment="rolled up from its parcels; null until one is known"),
    Column("closed_at", _MOMENT, comment="when what was told of it was pruned; its numbers match nothing any more"),
    Column("delivery_method", Text, comment="the name of Odoo's delivery method, if it has one"),
    Column("operation", Text, comment="Odoo's code of its type of operation: outgoing, incoming, internal, dropship"),
    Column("stage", Text, comment="Odoo's state of the transfer, such as assigned, done, cancel"),
    Column("return_of", BigInteger, comment="the delivery it was made from, as a return or an exchange"),
    Column("backorder_of", BigInteger, comment="the delivery it was split from"),
    Index(None, "order_id"),
    Index(None, "return_of", postgresql_where=text("return_of is not null")),
    Index(None, "written_at", postgresql_where=text("delivery_method is not null")),
    postgresql_with=_ROOMY,
    comment="A delivery in Odoo, and where it stands.",
)

numbers = Table(
    "numbers",
    metadata,
    Column("shipment_id", BigInteger, ForeignKey("shipments.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Text, primary_key=True, comment="a tracking number the delivery carries, as compared"),
    Column("because", Text, comment="the reference it was found by; null where Odoo's delivery carries it"),
    Column("stands_for", Text, comment="the number on the delivery whose parcel this is, by another name"),
    Column("leg", Text, comment="return: the parcel comes back under this number; null otherwise"),
    Column("is_package", Boolean, nullable=False, server_default=text("false"), comment="it is a package's name"),
    Column("by_person", Boolean, nullable=False, server_default=text("false"), comment="a person said so"),
    Column("aside", Text, comment="why another delivery with the number speaks for its parcel; null if this one does"),
    Index(None, "number"),
    comment="The index of tracking numbers, kept from Odoo.",
)

effects = Table(
    "effects",
    metadata,
    Column("key", Text(collation="C"), primary_key=True, comment="ordered by bytes, as Python orders it"),
    Column("kind", Text, nullable=False, comment="delivery, order, activity, timeline"),
    Column("subject", BigInteger, nullable=False, comment="the record in Odoo it is about"),
    Column("payload", JSONB, nullable=False, comment="what Odoo shall show"),
    Column("version", Integer, nullable=False, server_default="1", comment="counts decisions under this key"),
    Column("state", Text, nullable=False, server_default="due", comment="due, claimed, done, parked"),
    Column("due_at", _MOMENT, nullable=False, comment="when due: not before; when claimed: until"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("sent", Boolean, nullable=False, server_default=text("false"), comment="Odoo has been told at least once"),
    Column("reason", Text, comment="why it is parked or late"),
    Column("decided_at", _MOMENT, nullable=False),
    Column("told_at", _MOMENT, comment="when the message behind it arrived; null where nobody waits (replays)"),
    Column("done_at", _MOMENT),
    Column("again_at", _MOMENT, comment="when the clock makes it due again although nothing is decided anew"),
    Index("effects_again_idx", "again_at", postgresql_where=text("again_at is not null")),
    Index("effects_tasks_idx", "subject", postgresql_where=text("kind = 'activity'")),
    Index(
        "effects_trouble_idx",
        text("(payload ->> 'exception_due')"),
        postgresql_where=text("kind = 'delivery' and payload ->> 'exception_due' is not null"),
    ),
    Index(
        "effects_due_idx",
        "kind",
        text("(told_at is null)"),
        "due_at",
        postgresql_where=text("state in ('due', 'claimed')"),
    ),
    Index("effects_parked_idx", "decided_at", postgresql_where=text("state = 'parked'")),
    postgresql_with=_VACUUMED,
    comment="What was decided, each once under its key.",
)

keeps = Table(
    "keeps",
    metadata,
    Column("key", Text(collation="C"), primary_key=True, comment="of the effect that says where it stands"),
    Column("why", Text, nullable=False, comment="changed, locked"),
    Column("kept_by", Text, nullable=False, comment="the name Odoo shows of who wrote the record last"),
    Column("kept_at", _MOMENT, nullable=False),
    comment="Deliveries and orders that people keep as they are in Odoo.",
)

reports = Table(
    "reports",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("began_at", _MOMENT, nullable=False, server_default=text("now()")),
    Column("ended_at", _MOMENT, comment="null while it runs, or waits to go on"),
    Column("report", JSONB, nullable=False, comment="what was compared, found and mended, and how far it has come"),
    comment="Comparisons of Odoo with the store, the last few.",
)

marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    comment="How far something has got: the pull from Odoo, the pause after Odoo was away, the walks of prune.",
)

holds = Table(
    "holds",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("number", Text, comment="the tracking number that is held, as compared; or"),
    Column("carrier", Text, comment="the carrier, all of whose messages and parcels are held that were heard of"),
    Column("since", _MOMENT, comment="from then on, null is ever since"),
    Column("until", _MOMENT, comment="until before then, null is for ever"),
    Column("reason", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_at", _MOMENT, nullable=False, server_default=text("now()")),
    CheckConstraint("(number is null) <> (carrier is null)", name="holds_number_or_carrier"),
    Index(None, "number"),
    comment="Legal holds: what may not be pruned, whatever its age.",
)

polls = Table(
    "polls",
    metadata,
    Column("carrier", Text, primary_key=True),
    Column("number", Text, primary_key=True, comment="the tracking number in the form it is compared in"),
    Column("tracking_number", Text, nullable=False, comment="as the carrier is asked for it"),
    Column("since", _MOMENT, nullable=False, comment="when it began to be of interest"),
    Column("due_at", _MOMENT, comment="when it is looked at next; while it is asked about: until; null has stopped"),
    Column("wanted", Boolean, nullable=False, server_default=text("false"), comment="a person asks: whatever is due"),
    Column("asked_at", _MOMENT, comment="when the carrier was asked last"),
    Column("calls", Integer, nullable=False, server_default="0", comment="how often it was asked about"),
    Column("outcome", Text, comment="what came of it last: news, same, not_found, bad_number, unreadable"),
    Column("digest", Text, comment="of the last answer with parts that could not be read: it is kept once"),
    Column("reason", Text, comment="why it has stopped"),
    Column("stopped_at", _MOMENT),
    Index(None, "carrier", "due_at", postgresql_where=text("due_at is not null")),
    Index(None, "stopped_at", postgresql_where=text("stopped_at is not null")),
    comment="What carriers are asked about, and when next. A row is made when somebody first looks, not by ingest.",
)

odoo_costs = Table(
    "odoo_costs",
    metadata,
    Column("day", Date, primary_key=True, comment="of UTC, by the database's clock"),
    Column("purpose", Text, primary_key=True, comment="the stage that called, or command"),
    Column("model", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False, comment="calls among them that were not done"),
    Column("rows", BigInteger, nullable=False, comment="rows sent, or else received"),
    Column("sent_bytes", BigInteger, nullable=False),
    Column("received_bytes", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False, comment="until the answers were there"),
    comment="What Odoo was asked, added up.",
)

carrier_choices = Table(
    "carrier_choices",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("number", Text, nullable=False, comment="the tracking number, as compared"),
    Column("carrier", Text, comment="who carries it; null takes the choice back"),
    Column("reason", Text, nullable=False),
    Column("chosen_by", Text, nullable=False),
    Column("chosen_at", _MOMENT, nullable=False, server_default=text("now()")),
    Index(None, "number", "id"),
    comment="What people say of a number's carrier, over what was guessed. Append-only; the last one counts.",
)

delivery_choices = Table(
    "delivery_choices",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("number", Text, nullable=False, comment="the tracking number, as compared"),
    Column("shipment_id", BigInteger, comment="the delivery it belongs to; null takes the choice back"),
    Column("reason", Text, nullable=False),
    Column("chosen_by", Text, nullable=False),
    Column("chosen_at", _MOMENT, nullable=False, server_default=text("now()")),
    Index(None, "number", "id"),
    comment="What people say of a number's delivery, over a reference. Append-only; the last one counts.",
)
