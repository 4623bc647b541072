"""Odoo's web client in a real browser, used the way a person uses it: sign in, open, search, filter, look.

The few places in which the web clients of Odoo 14 and 19 differ are here.
"""

from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page
from playwright.sync_api import TimeoutError as TookTooLong

SIZE = {"width": 1380, "height": 900}
ZONE = "Atlantic/Reykjavik"
"""Its day is UTC's, in which the story is told: elsewhere what is promised today is late for an hour or more a day."""

_ACTIONS = {"stock.picking": "stock.action_picking_tree_all", "sale.order": "sale.action_orders"}
_DRAWN = "document.fonts.status === 'loaded' && [...document.images].every(image => image.complete)"


class WebClient:
    """One person's browser. page: what is on it now. pictures: the folder for `picture`; None, and none are taken."""

    def __init__(self, browser: Browser, url: str, pictures: Path | None) -> None:
        self.url, self.pictures = url.rstrip("/"), pictures
        context = browser.new_context(viewport=SIZE, locale="en-US", timezone_id=ZONE)
        context.set_default_timeout(60_000)
        self.page: Page = context.new_page()

    def sign_in(self, login: str, password: str) -> None:
        self.page.goto(f"{self.url}/web/login")
        self.page.fill("[name=login]", login)
        self.page.fill("[name=password]", password)
        self.page.click(".oe_login_form button[type=submit]")
        self.page.wait_for_selector(".o_main_navbar")

    def open_record(self, model: str, record: int) -> None:
        """The form of that record, when its notes and attachments are there."""
        self._go(f"id={record}&action={_ACTIONS[model]}&model={model}&view_type=form")
        self.page.wait_for_selector(".o_form_view .o_field_widget")
        self.page.wait_for_selector(".o-mail-Message, .o_Message")

    def open_action(self, action: str, kind: str = "list") -> None:
        """The list or the cards of that action, by its external id."""
        self._go(f"action={action}&view_type={kind}")
        self.page.wait_for_selector({"list": ".o_list_table", "kanban": ".o_kanban_record"}[kind])

    def _go(self, where: str) -> None:
        self.page.goto("about:blank")  # another place in the same document would not load it
        self.page.goto(f"{self.url}/web#{where}")

    def tab(self, title: str) -> None:
        """Turns to that page of a form's notebook."""
        self.page.click(f".o_notebook .nav-link:has-text('{title}')")
        self.page.wait_for_selector(".o_notebook .tab-pane.active .o_data_row")

    def field(self, name: str) -> str:
        """How a field of the form reads; empty if it is not shown."""
        shown = self.page.locator(f".o_form_view [name='{name}']:visible")
        return shown.first.inner_text().strip() if shown.count() else ""

    def search(self, words: str) -> None:
        """Types into the search box and takes the first of its proposals: the name.

        Types again where the client has drawn the box anew meanwhile, as it does when more of the page has come.
        """
        proposal = self.page.locator(".o_searchview_autocomplete").get_by_text(words).first
        for is_last in (False, False, True):
            self.page.fill(".o_searchview_input", words)
            with suppress(*() if is_last else (TookTooLong,)):
                proposal.click(timeout=10_000)
                break
        self.page.wait_for_selector(f".o_searchview_facet:has-text('{words}')")

    def open_menu(self, kind: str) -> Locator:
        """The choices of "filter" or "group_by" in the search box."""
        if (opener := self.page.locator(".o_searchview_dropdown_toggler")).count():
            if not self.page.locator(f".o_{kind}_menu").count():
                opener.first.click()
        else:
            self.page.click(f".o_{kind}_menu > button")
        menu = self.page.locator(f".o_{kind}_menu")
        menu.first.wait_for()
        return menu

    def choose(self, kind: str, choice: str, interval: str = "") -> None:
        """Filters or groups by that, with the menu closed afterwards. interval: Day, Week, ... of a date."""
        menu = self.open_menu(kind)
        menu.get_by_text(choice, exact=True).first.click()
        if interval:
            menu.locator(".o_item_option").get_by_text(interval, exact=True).first.click()
        self.page.wait_for_selector(f".o_searchview_facet:has-text('{choice}')")
        self.page.keyboard.press("Escape")

    def rows(self) -> list[str]:
        """The lines of the list, each as its cells in one line of text."""
        found = [row.locator("td").all_inner_texts() for row in self.page.locator(".o_list_table .o_data_row").all()]
        return [" | ".join(cell.strip() for cell in cells if cell.strip()) for cells in found]

    def picture(self, name: str, height: int = SIZE["height"]) -> None:
        """What is on the page now, as a file of that name, if pictures are wanted."""
        if self.pictures:
            self.page.set_viewport_size(SIZE | {"height": height})
            self.page.mouse.move(SIZE["width"] // 2, height - 1)
            self.page.wait_for_function(_DRAWN)
            self.page.screenshot(path=self.pictures / f"{name}.png", animations="disabled")
            self.page.set_viewport_size(SIZE)

    def close(self) -> None:
        self.page.context.close()
