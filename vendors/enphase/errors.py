"""Whether an answer of Enphase's is the one asked for, and which refusals only say that there is nothing."""

from vendors.kit import RawReply, Reply, Request
from vendors.kit.parsing.reading import Raw, check_id

# Parts of texts, in lower case: the span lies outside of what the vendor has, or the system has no IQ Battery. The
# Grid Services API passes on the other one's text.
NOTHING = (
    "requested date range is invalid for this system",
    "requested date is in the future",
    "can't be before 2 years",
    "system doesn't have encharge",
)
TEXTS = ("details", "displayMessage", "additionalInfo")
# Calls that may have nothing to tell.
SERIES = ("/telemetry", "_lifetime", "/battery_settings")


def without_data(reply: Reply, request: Request) -> RawReply | None:
    """An answer without rows in place of a refusal that means so; None for any other."""
    if reply.status != 422 or not any(part in request.path for part in SERIES):
        return None
    said = " ".join(str(reply.json_object.get(name)) for name in TEXTS).lower()
    return reply.instead({"intervals": []}) if any(text in said for text in NOTHING) else None


def about_these(ids: tuple[str, ...], raw: Raw) -> None:
    """Raises where the answer is about another system than the first of the ids, or another device than the second."""
    for name, wanted in zip(("system_id", "serial_number"), ids, strict=False):
        check_id(raw, name, wanted)
