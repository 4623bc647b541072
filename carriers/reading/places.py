"""Countries by ISO 3166-1, and UN/LOCODE."""

import gettext
import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

import pycountry

from carriers.reading.values import text

# Reserved or user-assigned codes that carriers use for a country: the United Kingdom, Greece at customs, Kosovo.
_RESERVED = {"UK": "GB", "EL": "GR", "XK": "XK"}
_COUNTRIES = {country.alpha_2: country.alpha_2 for country in pycountry.countries} | _RESERVED
# Everyday names that ISO 3166 does not list.
_EVERYDAY = {
    "usa": "US", "u.s.a.": "US", "u.s.": "US", "united states of america": "US", "america": "US", "england": "GB",
    "great britain": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "holland": "NL",
    "the netherlands": "NL", "russia": "RU", "south korea": "KR", "korea": "KR", "republic of korea": "KR",
    "north korea": "KP", "turkey": "TR", "czech republic": "CZ", "vietnam": "VN", "macau": "MO", "hong kong sar": "HK",
    "ivory coast": "CI", "laos": "LA", "kosovo": "XK", "uae": "AE", "syria": "SY", "iran": "IR", "moldova": "MD",
    "bolivia": "BO", "tanzania": "TZ", "venezuela": "VE", "taiwan": "TW", "brunei": "BN", "macedonia": "MK",
    "swaziland": "SZ", "cape verde": "CV", "republic of ireland": "IE", "eire": "IE", "vatican city": "VA",
    "palestine": "PS", "reunion": "RE",
}  # fmt: skip
_LANGUAGES = ("de", "fr", "nl", "es", "it", "pt", "sv", "da", "nb", "fi", "pl", "cs")
_LOCODE = re.compile(r"([A-Z]{2})[ -]?([A-Z2-9]{3})")


def country(value: Any) -> str | None:
    """The ISO 3166-1 alpha-2 code of a country written as such, as alpha-3, or by name; None for anything else.

    Names are those of ISO 3166 in English and a dozen European languages, and a few everyday ones. XK is Kosovo.
    """
    written = text(value)
    if not written:
        return None
    if len(written) == 2:
        return _COUNTRIES.get(written.upper())
    return _by_name(written)


def unlocode(value: Any) -> str | None:
    """A UN/LOCODE without its blank, such as DEHAM; None for what has not its form or not a country's code.

    Only the form is checked: no well-kept package carries the UN's list of 110,000 places, and a place that is newer
    than a list must not be lost.
    """
    written = text(value)
    return _locode(written) if written else None


@lru_cache(maxsize=4096)
def _locode(written: str) -> str | None:
    match = _LOCODE.fullmatch(written.upper())
    return match[1] + match[2] if match and match[1] in _COUNTRIES and match[1] not in ("UK", "EL") else None


@lru_cache(maxsize=4096)
def _by_name(written: str) -> str | None:
    if len(written) > 80:
        return None
    return _names().get(_plain(written))


@cache
def _names() -> dict[str, str]:
    """From every name and alpha-3 code to the alpha-2 code; without names that two countries have in two languages."""
    found: dict[str, set[str]] = {}
    for name, code in _all_names():
        found.setdefault(_plain(name), set()).add(code)
    return {name: codes.pop() for name, codes in found.items() if len(codes) == 1} | _EVERYDAY


def _all_names() -> Iterator[tuple[str, str]]:
    translations = [gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [code]) for code in _LANGUAGES]
    for entry in pycountry.countries:
        names = [getattr(entry, kind, None) for kind in ("name", "official_name", "common_name")]
        yield entry.alpha_3, entry.alpha_2
        for name in filter(None, names):
            yield name, entry.alpha_2
            for translation in translations:
                yield translation.gettext(name), entry.alpha_2


def _plain(name: str) -> str:
    """Without accents and case: carriers write ESPANA and Espana too."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())
