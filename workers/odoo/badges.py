"""What forms, lists and cards show alike: colored milestones, trouble, and whether a promise will be kept."""

from shipments.milestone import DEFINITIONS, Milestone, Phase
from shipments.rules.exceptions import Severity
from workers.odoo.engine import condition

GOOD = ("delivered", "returned", "available_for_pickup")
BAD = ("exception", "lost", "damaged", "delivery_attempted")
WATCH = ("delayed", "partially_delivered", "return_in_transit", "customs_clearance", "unknown")
QUIET = ("label_created", "pickup_scheduled", "info_received", "cancelled")

SILENT_DAYS = 3
"""A parcel on its way of which nothing was heard for longer is silent. Carriers scan at least once in a working day."""

TOO_LONG_AGO = f"(context_today() - datetime.timedelta(days={SILENT_DAYS})).strftime('%Y-%m-%d')"
"""The day before which news are old, as an expression of Odoo's views."""

# Odoo puts records in order of the stored value
SEVERITY = {value.value: f"{place}_{value}" for place, value in enumerate(Severity, 1)}
"""How severe, as Odoo stores it."""

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
    """Until when the trouble is to be resolved, in red when that is over."""
    name = "x_milepost_exception_due"
    return f'<field name="{name}" decoration-danger="{condition(f"{name} and {name} < now")}"{_also(more)}/>'


def severity(more: str = "") -> str:
    """How severe the trouble is, in red from high upwards."""
    name = "x_milepost_exception_severity"
    worse = f"{name} in {(SEVERITY['high'], SEVERITY['critical'])!r}"
    return f'<field name="{name}" decoration-danger="{worse}"{_also(more)}/>'


def heard_at(more: str = "") -> str:
    """When the carrier was heard of last: the eye is drawn to it while a parcel under way is silent."""
    name = "x_milepost_heard_at"
    silent = f"{name} and {name} < {TOO_LONG_AGO} and x_milepost_milestone not in {ENDED!r}"
    return f'<field name="{name}" decoration-warning="{condition(silent)}"{_also(more)}/>'


def _also(more: str) -> str:
    """More attributes. Odoo gives a view back as its parser writes it, so no blank may be left over."""
    return f" {more}" if more else ""
