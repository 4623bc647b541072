"""What people see of Milepost in Odoo: views it accepts, filters that find, documents attached once."""

import base64
from xml.etree import ElementTree

import pytest

from shipments.proof import MOST_BYTES, document_of, link_of
from tests.workers.odoo.conftest import Shop
from tests.workers.odoo.effects import state
from workers.odoo import forms, lists, views
from workers.odoo.client import Odoo
from workers.odoo.documents import ATTACHMENT, write_documents
from workers.odoo.engine import Engine
from workers.odoo.fields import PICKING
from workers.odoo.lists import IN_TROUBLE
from workers.odoo.writes import DONE, Work, write_deliveries

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()
VERSIONS = [(14, 0), (16, 0), (17, 0), (18, 0), (19, 0)]


def document(picking: int, **changed: object) -> Work:
    payload = {
        "picking_id": picking,
        "digest": "0123456789abcdef0123456789abcdef",
        "name": "Proof of delivery T1.png",
        "mimetype": "image/png",
        "content": PNG,
        "refused": None,
    }
    return Work(f"document:{picking}:1", picking, payload | changed, sent=False)


@pytest.mark.requirement("M1", "X21")
@pytest.mark.parametrize("version", VERSIONS)
def test_views_are_written_for_the_view_engine_of_each_version(version: tuple[int, int]) -> None:
    rows = [values for stage in views.declared(version, with_orders=True) for *_, values in stage]
    archs = [values["arch"] for values in rows if "arch" in values]
    assert len(archs) == 8
    elements = [element for arch in archs for element in ElementTree.fromstring(arch).iter()]
    assert any("attrs" in element.attrib for element in elements) == (version < (17, 0))
    assert any(element.tag == "tree" for element in elements) == (version < (18, 0))
    assert any(element.tag == "list" for element in elements) == (version >= (18, 0))


@pytest.mark.requirement("X21")
@pytest.mark.parametrize(("version", "empty"), [((14, 0), "('x_milepost_event_ids', '=', [])"), ((19, 0), "not x_")])
def test_a_page_without_rows_is_hidden_in_the_way_each_view_engine_understands(
    version: tuple[int, int], empty: str
) -> None:
    page = ElementTree.fromstring(forms.form(Engine(version), PICKING)).find(".//page")
    assert page is not None
    assert empty in (page.get("attrs") or page.get("invisible") or "")


@pytest.mark.requirement("X21")
@pytest.mark.parametrize("version", VERSIONS)
def test_views_of_our_own_have_the_state_by_which_older_odoos_lock_a_deliverys_fields(version: tuple[int, int]) -> None:
    rows = ElementTree.fromstring(lists.exceptions(Engine(version)))
    hidden = "column_invisible" if version >= (17, 0) else "invisible"
    assert [field.get(hidden) for field in rows.iter("field") if field.get("name") == "state"] == ["1"]
    cards = ElementTree.fromstring(lists.cards(Engine(version)))
    if version < (18, 0):
        assert "state" in {field.get("name") for field in cards.findall("field")}


@pytest.mark.requirement("M6", "M7")
def test_deliveries_in_trouble_are_found_by_the_domain_of_the_exceptions_menu(ready: Odoo, shop: Shop) -> None:
    bad, good = shop.deliver(2)
    write_deliveries(ready, [state(bad, exception_category="customs_hold"), state(good)])
    domain = [
        "|",
        ("x_milepost_exception", "!=", False),
        ("x_milepost_milestone", "in", ["exception", "lost", "damaged", "delivery_attempted"]),
        ("id", "in", [bad, good]),
    ]
    assert repr(domain[:3]) == IN_TROUBLE
    found = ready.call(PICKING, "search_read", domain=domain, fields=["name"])
    assert [row["id"] for row in found] == [bad]


@pytest.mark.requirement("M9", "M10")
def test_a_document_is_attached_once_however_often_it_is_sent(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    work = document(picking)
    assert write_documents(ready, [work]) == write_documents(ready, [work]) == {work.key: DONE}
    domain = [("res_model", "=", PICKING), ("res_id", "=", picking)]
    [row] = ready.call(ATTACHMENT, "search_read", domain=domain, fields=["name", "mimetype"])
    assert (row["name"], row["mimetype"]) == ("Proof of delivery T1.png", "image/png")


@pytest.mark.requirement("M9")
def test_a_refused_document_is_parked_with_its_reason_and_not_sent(ready: Odoo, shop: Shop) -> None:
    [picking] = shop.deliver(1)
    [outcome] = write_documents(ready, [document(picking, content=None, refused="Too large.")]).values()
    assert (outcome.state, outcome.reason) == ("parked", "Too large.")
    domain = [("res_model", "=", PICKING), ("res_id", "=", picking)]
    assert ready.call(ATTACHMENT, "search_read", domain=domain, fields=["name"]) == []


@pytest.mark.requirement("M9", "X11")
def test_a_document_is_known_by_its_first_bytes_and_refused_when_it_is_something_else_or_too_large() -> None:
    named_otherwise = document_of(f"data:text/html;base64,{PNG}")
    assert named_otherwise
    assert named_otherwise.mimetype == "image/png"
    page = document_of("data:image/png;base64," + base64.b64encode(b"<html>").decode())
    large = document_of(base64.b64encode(b"%PDF-" + b"0" * MOST_BYTES).decode())
    assert page
    assert page.refused
    assert large
    assert large.refused
    assert document_of("https://carrier.example/pod.png") is None


@pytest.mark.requirement("X11")
def test_only_a_link_over_https_is_shown() -> None:
    assert link_of("https://carrier.example/pod/1") == "https://carrier.example/pod/1"
    for bad in (
        "http://a.example/",
        "javascript:alert(1)",
        "https://u:p@a.example/",
        "https://a.example/ b",
        PNG,
        None,
    ):
        assert link_of(bad) is None
