"""The ways FedEx wraps its track results: a webhook, a poll answer, and what integrators report beside them."""

from collections.abc import Iterator
from typing import Any

from carriers.reading import as_list, dig, text
from shipments.errors import Unreadable

Found = tuple[str, Any, Any]
"""Where a result stands, the number it was asked by, and the result itself."""


def find_results(body: dict[str, Any]) -> tuple[list[Found], str | None]:
    """Every track result with where it stands and the number asked for; or a notice, where there are none."""
    output = body.get("output", body)
    if isinstance(output, dict):
        if "completeTrackResults" in output:
            return _or_notice(list(_complete_results(as_list(output["completeTrackResults"], "completeTrackResults"))))
        if "trackResults" in output or "scanEvents" in output or "eventType" in output:
            return _or_notice(_bare_results(output))
        if "documentType" in output:
            return [], f"FedEx sent a document, not scans: {text(output['documentType'])}"
    if "errors" in body:
        return [], f"FedEx answered with an error: {error_words(body['errors'])}"
    raise Unreadable("there are neither completeTrackResults nor a track result nor errors")


def _or_notice(results: list[Found]) -> tuple[list[Found], str | None]:
    return results, None if results else "FedEx answered without a result"


def _complete_results(complete: list[Any]) -> Iterator[Found]:
    for position, entry in enumerate(complete):
        where = f"completeTrackResults[{position}]"
        results = dig(entry, "trackResults")
        if not isinstance(results, list | dict) or not results:
            yield where, dig(entry, "trackingNumber"), None
            continue
        for place, result in enumerate(as_list(results, where)):
            yield f"{where}.trackResults[{place}]", dig(entry, "trackingNumber"), result


def _bare_results(output: dict[str, Any]) -> list[Found]:
    """Results without the outer list, a lone result, or a lone scan with its number."""
    number = output.get("trackingNumber")
    if "trackResults" in output:
        listed = as_list(output["trackResults"], "trackResults")
        return [(f"trackResults[{place}]", number, result) for place, result in enumerate(listed)]
    if "scanEvents" in output:
        return [("result", number, output)]
    return [("scan", number, {"trackingNumberInfo": output.get("trackingNumberInfo"), "scanEvents": [output]})]


def is_virtual(body: dict[str, Any]) -> bool:
    """The sandbox says VIRTUAL.RESPONSE in its alerts, which are a list of objects or one text."""
    alerts = dig(body, "output", "alerts") or body.get("alerts")
    told = [dig(alert, "code") or alert for alert in alerts] if isinstance(alerts, list) else [alerts]
    return any(isinstance(word, str) and word.startswith("VIRTUAL.RESPONSE") for word in told)


def error_words(errors: Any) -> str:
    errors = errors if isinstance(errors, list) else [errors]
    return ", ".join(text(dig(error, "code")) or "without a code" for error in errors[:5]) or "unnamed"
