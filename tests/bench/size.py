"""How much is measured: the long form, and the one of four minutes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """door_posts, textbook_posts: most that are prepared for a round of acceptance. The others say it themselves."""

    rounds: int = 5
    round_seconds: float = 5
    door_posts: int = 25_000
    textbook_posts: int = 25_000
    through_posts: int = 15_000
    through_textbook_posts: int = 1_500
    burst: int = 50_000
    messages: int = 100_000
    stored_events: int = 2_000_000
    batches: int = 43
    paced_seconds: int = 60
    odoo_events: int = 6_000
    real_shipments: int = 2_000
    poll_seconds: int = 60
    writes: int = 60
    idle_seconds: float = 15
    slow_odoo_parcels: int = 500
    bulk_parcels: int = 10_000
    live_parcels: int = 2_000
    replayed: int = 1_000_000
    parsing_rounds: int = 9


LONG = Size()
SHORT = Size(
    rounds=3,
    round_seconds=2.5,
    door_posts=12_000,
    textbook_posts=12_000,
    through_posts=6_000,
    through_textbook_posts=600,
    burst=5_000,
    messages=20_000,
    stored_events=200_000,
    batches=23,
    paced_seconds=8,
    odoo_events=3_000,
    real_shipments=400,
    poll_seconds=20,
    writes=30,
    idle_seconds=6,
    slow_odoo_parcels=150,
    bulk_parcels=4_000,
    live_parcels=1_000,
    replayed=60_000,
    parsing_rounds=3,
)
