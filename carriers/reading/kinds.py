"""Which kind of body it is, for carriers that answer in several."""

_BEFORE_MARKUP = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"


def is_xml(body: bytes) -> bool:
    """Whether the first character of the body, in any encoding that is read, is that of XML or HTML."""
    return body[:64].lstrip(_BEFORE_MARKUP).startswith(b"<")
