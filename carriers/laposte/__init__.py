"""La Poste and Colissimo: the tracking API Suivi v2, and Colissimo's older tracking service; both are only asked."""

from carriers.base import Carrier
from carriers.laposte.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="laposte",
    title="La Poste / Colissimo",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
