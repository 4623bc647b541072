"""`milepost send-sample`: a carrier's message as the carrier would post it, to try out an installation."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import click
import requests

import carriers
from carriers import find_carrier
from carriers.base import Carrier, Message
from carriers.proof import prove
from carriers.registry import carrier_names
from carriers.request import Request
from config.settings import load_settings
from shipments.clock import now
from shipments.errors import SetupFault, Transient

_FOLDER = Path(carriers.__file__).parent
_TYPES = {".json": "application/json", ".xml": "application/xml"}
_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Sample:
    """A message of the carrier's folder: the body, and the headers that are sent with it beside the proof."""

    body: bytes
    headers: dict[str, str]


@click.command("send-sample")
@click.argument("carrier")
@click.option("--sample", help="Which one, such as push_delivered; the first that is pushed by default.")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="Where Milepost listens.")
@click.option("--number", help="A tracking number to put in place of the sample's own.")
@click.option("--account", default="", help="The account of the carrier, if there are several.")
@click.option("--secret", help="What it is proven with; CARRIER_<NAME>_SECRETS by default.")
def send_sample(
    carrier: str, sample: str | None, url: str, number: str | None, account: str, secret: str | None
) -> None:
    """Post a sample message of CARRIER, proven as the carrier would."""
    found = find_carrier(carrier)
    if found is None:
        raise SetupFault([f"no carrier is called {carrier!r}; there are {', '.join(carrier_names())}"])
    chosen = load_sample(found, sample)
    body = renumbered(found, chosen, number) if number else chosen.body
    path = "/".join(filter(None, (url.rstrip("/"), "in", carrier, account)))
    plain = Request("POST", {}, {}, body, now(), url=path)
    proven = prove(found.proof, plain, secret or find_secret(carrier, account))
    answer = _post(_address(path, account, proven), proven.body, chosen.headers | dict(proven.headers))
    click.echo(f"{answer.status_code} {answer.text.strip()}")
    if not answer.ok:
        raise SystemExit(1)


def _address(path: str, account: str, request: Request) -> str:
    """The address with the secret word and the query that the proof put there."""
    word = f"{'.' if account else '/'}{request.word}" if request.word else ""
    query = f"?{urlencode(request.query)}" if request.query else ""
    return f"{path}{word}{query}"


def load_sample(carrier: Carrier, case: str | None) -> Sample:
    """The sample of that name, or the first that is not the answer to a poll."""
    paths = sorted((_FOLDER / carrier.name / "samples").glob(f"{case or '*'}.in.*"))
    chosen = next((p for p in paths if case or not p.name.startswith("poll")), None)
    if chosen is None:
        raise SetupFault([f"{carrier.name} has no sample {case or 'that is pushed'}"])
    beside = chosen.with_name(f"{chosen.name.partition('.in.')[0]}.headers.json")
    headers = {"content-type": _TYPES.get(chosen.suffix, "text/plain")}
    return Sample(chosen.read_bytes(), headers | (json.loads(beside.read_text("utf-8")) if beside.exists() else {}))


def renumbered(carrier: Carrier, sample: Sample, number: str) -> bytes:
    """The body with another tracking number in place of its own."""
    body = sample.body
    for own in {event.tracking_number for event in carrier.parse(Message(body, sample.headers)).events}:
        body = body.replace(own.encode(), number.encode())
    return body


def find_secret(carrier: str, account: str) -> str:
    """The newest secret of the settings. Raises SetupFault without one."""
    secrets = load_settings().secrets_of(carrier, account)
    if not secrets:
        name = "__".join(filter(None, (carrier, account))).upper().replace("-", "_")
        raise SetupFault([f"CARRIER_{name}_SECRETS is not set; set it, or give --secret"])
    return secrets[0]


def _post(address: str, body: bytes, headers: dict[str, str]) -> requests.Response:
    try:
        return requests.post(address, data=body, headers=headers, timeout=_TIMEOUT_SECONDS)
    except requests.RequestException as fault:
        raise Transient(f"nobody answers at {address} ({type(fault).__name__}); is Milepost up?") from None
