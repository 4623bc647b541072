"""What goes wrong when Milepost runs its own servers."""


class EmbeddedFault(Exception):
    """An embedded server cannot run here. The text is one sentence that says what to do."""
