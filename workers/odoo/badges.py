"""What forms, lists and cards show alike: colored milestones, trouble, and whether a promise will be kept."""

from shipments.milestone import DEFINITIONS, Milestone, Phase
from workers.odoo.engine import condition

GOOD = ("delivered", "returned", "available_for_pickup")
BAD = ("exception", "lost", "damaged", "delivery_attempted")
WATCH = ("delayed", "partially_delivered", "return_in_transit", "customs_clearance", "unknown")
QUIET = ("label_created", "pickup_scheduled", "info_received", "cancelled")

ENDED = tuple(m.value for m in Milestone if DEFINITIONS[m].phase is Phase.END)


def milestone_badge(name: str = "x_milepost_milestone", more: str = "") -> str:
    """A milestone in the color of what it means."""

    def among(milestones: tuple[str, ...]) -> str:
        return f"{name} in {milestones!r}"

    moving = f"{name} not in {(*GOOD, *BAD, *WATCH, *QUIET)!r}"
    return (
        f'<field name="{name}" widget="badge" decoration-success="{among(GOOD)}" decoration-danger="{among(BAD)}"'
        f' decoration-warning="{among(WATCH)}" decoration-muted="{among(QUIET)}" decoration-info="{moving}"'
        f"{_also(more)}/>"
    )


def exception_badge(more: str = "") -> str:
    """What kind of trouble, in red."""
    return f'<field name="x_milepost_exception" widget="badge" decoration-danger="1"{_also(more)}/>'


def estimate(promise: str, more: str = "") -> str:
    """The estimated day, red where it is later than the promise, green where it is not.

    promise: the field of the promised time. A day and a time are compared as texts there, so the promised day counts
    as kept.
    """
    name = "x_milepost_estimated_on"
    late, kept = f"{name} and {promise} and {name} > {promise}", f"{name} and {promise} and {name} <= {promise}"
    colors = f'decoration-danger="{condition(late)}" decoration-success="{condition(kept)}"'
    return f'<field name="{name}" {colors}{_also(more)}/>'


def due(more: str = "") -> str:
    """Until when the trouble is to be resolved, as days from today; red when that is over."""
    return f'<field name="x_milepost_exception_due" widget="remaining_days"{_also(more)}/>'


def _also(more: str) -> str:
    """More attributes. Odoo gives a view back as its parser writes it, so no blank may be left over."""
    return f" {more}" if more else ""
