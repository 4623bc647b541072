"""What the view engines of Odoo 14 to 19 want otherwise than one another. Nothing else here asks for the version."""

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

EMPTY: tuple[object, ...] = (False, [])


@dataclass(frozen=True)
class Engine:
    """The view engine of an Odoo of that version, such as (19, 0)."""

    version: tuple[int, int]

    @property
    def rows(self) -> str:
        """The element, and the kind of view, for a list: Odoo 18 renamed it."""
        return "list" if self.version >= (18, 0) else "tree"

    def invisible(self, name: str, operator: str = "=", value: object = False) -> str:
        """An attribute that hides an element where the field compares so; by default where it is empty.

        A field of several records is empty as [], which Odoo 14 does not take for False.
        Odoo 17 replaced `attrs`, a domain, by Python expressions in the attribute itself.
        """
        if self.version < (17, 0):
            return "attrs=" + quoteattr(f"{{'invisible': [({name!r}, {operator!r}, {value!r})]}}")
        expression = f"not {name}" if operator == "=" and value in EMPTY else f"{name} {operator} {value!r}"
        return "invisible=" + quoteattr(expression)

    def unseen_column(self, name: str) -> str:
        """A field that others in a list are colored by, and that nobody sees."""
        hidden = "column_invisible" if self.version >= (17, 0) else "invisible"
        return f'<field name="{name}" {hidden}="1"/>'

    def modes(self) -> str:
        """The views of an action, the first one first."""
        return f"{self.rows},kanban,form"

    def card(self, fields: list[str], content: str) -> str:
        """The template of a kanban card, and the fields it reads. Odoo 18 made it plainer."""
        if self.version >= (18, 0):
            return f'<templates><t t-name="card">{content}</t></templates>'
        read = "".join(f'<field name="{name}"/>' for name in fields)
        box = f'<div class="oe_kanban_global_click">{content}</div>'
        return f'{read}<templates><t t-name="kanban-box">{box}</t></templates>'


def condition(text: str) -> str:
    """An expression as it stands between the double quotes of an attribute."""
    return escape(text, {'"': "&quot;"})
