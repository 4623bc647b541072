"""How the stand-in says no."""


class No(Exception):
    """Odoo says no: its exception's name, its sentence, and the status JSON-2 gives it."""

    def __init__(self, kind: str, message: str, status: int) -> None:
        super().__init__(message)
        self.kind, self.message, self.status = kind, message, status
