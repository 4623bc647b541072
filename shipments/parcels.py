"""The parcels of a delivery: which of its numbers are one parcel, and where they stand together. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from shipments.fold import Standing, roll_up, same_parcel


@dataclass(frozen=True, slots=True)
class Carried:
    """How a delivery has a number. stands_for: the number of the parcel whose other name it is; most often itself.

    comes_back: it is the number under which the parcel returns. is_package: it is the name of a package in Odoo.
    """

    stands_for: str
    comes_back: bool = False
    is_package: bool = False


def stand_together(carried: Mapping[str, Carried], journeys: Mapping[str, Standing | None]) -> Standing | None:
    """Where the parcels of a delivery stand together; None until something is known of one.

    Beside packages with numbers of their own, the one other number of the delivery is that of the consignment, which
    is no further parcel: what is told of it is told of each package.
    """
    parcels: dict[str, set[str]] = {}
    for number, how in carried.items():
        parcels.setdefault(how.stands_for, set()).add(number)
    packages = {how.stands_for for how in carried.values() if how.is_package}
    others = parcels.keys() - packages
    if packages and len(others) == 1:
        consignment = parcels.pop(others.pop())
        parcels = {name: numbers | consignment for name, numbers in parcels.items()}
    known = [[journey for n in sorted(numbers) if (journey := journeys[n])] for numbers in parcels.values()]
    each = [told[0] if len(told) == 1 else same_parcel(told) for told in known if told]
    return roll_up(each, expected=len(parcels)) if each else None
