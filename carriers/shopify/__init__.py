"""Shopify: the webhooks of fulfillment events and fulfillments, and the answers of the Admin REST API."""

from carriers.base import Carrier
from carriers.proof import HmacProof
from carriers.shopify.parser import CODES, parse

CARRIER = Carrier(
    name="shopify",
    title="Shopify",
    proof=HmacProof(header="x-shopify-hmac-sha256"),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
    accepted_status=200,
)
