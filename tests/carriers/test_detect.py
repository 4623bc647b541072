"""Guessing a carrier by form and check digit. Numbers are published examples or computed by the published rule."""

import pytest

from carriers.detect import CERTAIN, detect

pytestmark = pytest.mark.requirement("X3")


@pytest.mark.parametrize(
    ("number", "carrier"),
    [
        ("1Z999AA10123456784", "ups"),
        ("1Z5R89390357567127", "ups"),
        ("1z 999 AA1 01 2345 6784", "ups"),
        ("RA123456785GB", "royalmail"),
        ("RB123456785US", "usps"),
        ("RR123456785CN", "upu_emsevt"),
        ("9400111202555842332669", "usps"),
        ("4201002334249200190132607600833457", "usps"),
        ("986578788855", "fedex"),
        ("041441760228964", "fedex"),
        ("9611020987654312345672", "fedex"),
        ("3318810025", "dhl_express"),
        ("00340434161094042557", "dhl_parcel_de"),
        ("CSQU3054383", "dcsa"),
        ("125-12345675", "iata_one_record"),
        ("3SABCD1234567", "postnl"),
    ],
)
def test_a_number_suggests_its_carrier(number: str, carrier: str) -> None:
    assert detect(number)[0].carrier == carrier


@pytest.mark.parametrize(
    "number",
    ["1Z999AA10123456784", "RA123456785GB", "9400111202555842332669", "9611020987654312345672", "CSQU3054383"],
)
def test_a_mistyped_digit_is_not_certain(number: str) -> None:
    digits = [place for place, c in enumerate(number) if c.isdigit()]
    mistyped = number[: digits[-2]] + str((int(number[digits[-2]]) + 1) % 10) + number[digits[-2] + 1 :]
    assert detect(number)[0].confidence == CERTAIN
    assert all(guess.confidence < CERTAIN for guess in detect(mistyped))


@pytest.mark.parametrize("number", ["", "x", "12345678", "ÄÖÜ12345678", "9" * 100, "\x00" * 12, "not a number"])
def test_what_has_no_form_suggests_nobody(number: str) -> None:
    assert detect(number) == ()


def test_guesses_come_with_a_reason_the_likeliest_first() -> None:
    guesses = detect("00340434161094042557")
    assert all(guess.because for guess in guesses)
    assert [g.confidence for g in guesses] == sorted((g.confidence for g in guesses), reverse=True)
