"""Systems in pages: the list and the search."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Response, abort, request

from sandbox.enphase.constants import DEFAULT_PAGE, LARGEST_PAGE
from sandbox.enphase.errors import error
from sandbox.enphase.systems.requests import Unprocessable
from sandbox.enphase.systems.site import EnphaseSite
from sandbox.replies import Refused, reply

ORDERS = ("id", "-id")
FILTERS = {"ids", "name", "reference", "other_reference", "statuses"}


class Listing:
    """The endpoints that list and search the systems that the token of a request covers.

    visible: those systems. entry: a system as it is listed.
    """

    def __init__(
        self, visible: Callable[[], list[EnphaseSite]], entry: Callable[[EnphaseSite], dict[str, Any]]
    ) -> None:
        self._visible = visible
        self._entry = entry

    def list_systems(self) -> Response:
        """A page of the systems that the token covers."""
        systems = ordered(self._visible(), request.args.get("sort_by", "id"))
        return reply(self._page([self._entry(seen) for seen in sliced(systems)], len(systems)))

    def search(self) -> Response:
        """A page of the systems that match. Empty filters count for nothing."""
        if request.method != "POST":
            abort(405)
        body = request.get_json(force=True, silent=True)
        filters_of_body = body.get("system") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(filters_of_body, dict):
            raise Unprocessable("missing", "system is missing at Json body location")
        for name in {*body} - {"sort_by", "system"} | {*filters_of_body} - FILTERS:
            raise Unprocessable("missing", f"Invalid key {name}")
        filters = {name: value for name, value in filters_of_body.items() if value}
        visible = [seen for seen in self._visible() if self._matches(seen, filters)]
        systems = ordered(visible, body.get("sort_by") or "id")
        return reply(self._page([self._searched(seen) for seen in sliced(systems)], len(systems)))

    def of_gateway(self) -> Response:
        """The system that has the gateway with that serial number."""
        serial = request.args.get("serial_num", "")
        if not serial:
            raise Unprocessable("missing", "Provide envoy serial number")
        seen = system_of(self._visible(), serial)
        if seen is None:
            raise Refused(error(404, "Envoy not found with this serial number"))
        return reply({"system_id": seen.system_id})

    def _searched(self, seen: EnphaseSite) -> dict[str, Any]:
        entry = self._entry(seen)
        del entry["address"]["city"]
        if request.args.get("live_stream") == "true":
            entry["live_stream"] = "enabled"
        return entry

    def _matches(self, seen: EnphaseSite, filters: dict[str, Any]) -> bool:
        entry = self._entry(seen)
        references = [entry.get("reference", "").lower()]
        checks = {
            "ids": lambda value: str(seen.system_id) in {str(id) for id in value},
            "name": lambda value: str(value).lower() in entry["name"].lower(),
            "reference": lambda value: str(value).lower() in references,
            "other_reference": lambda value: str(value).lower() in references,
            "statuses": lambda value: entry["status"] in value,
        }
        return all(checks[name](value) for name, value in filters.items())

    @staticmethod
    def _page(systems: list[dict[str, Any]], total: int) -> dict[str, Any]:
        page, size = paging()
        head = {"total": total, "current_page": page, "size": size, "count": len(systems)}
        return {**head, "items": "systems", "systems": systems}


def ordered(systems: Sequence[EnphaseSite], order: Any) -> list[EnphaseSite]:
    """By id, upwards or downwards. Raises Unprocessable."""
    if order not in ORDERS:
        advice = "Please use id for sorting by Asc or -id for sorting by Desc"
        text = f"Invalid request because of 'The sorting parameter is not supported. {advice}'"
        raise Unprocessable("sort", text)
    return sorted(systems, key=lambda seen: seen.system_id, reverse=order == "-id")


def entry_of(seen: EnphaseSite, common: dict[str, Any], *, is_partner: bool) -> dict[str, Any]:
    """A system as this API lists it: the members `common` to both of Enphase's APIs, and its own.

    `reference` exists for the application of an installer only, and not for every system.
    """
    entry = common | {"address": {"city": seen.site.place.name, **common["address"]}}
    entry |= {"energy_lifetime": -1, "energy_today": -1, "system_size": -1}
    entry["interconnect_date"] = _interconnected(seen)
    if is_partner and seen.site.number % 2 == 0:
        entry |= {"reference": _reference(seen), "other_references": [_reference(seen)]}
    return entry


def system_of(systems: Iterable[EnphaseSite], gateway: str) -> EnphaseSite | None:
    """The system of a gateway."""
    return next((seen for seen in systems if gateway in seen.gateways), None)


def sliced(systems: Sequence[EnphaseSite]) -> Sequence[EnphaseSite]:
    """The systems on the requested page."""
    page, size = paging()
    return systems[(page - 1) * size : page * size]


def paging(largest: int = LARGEST_PAGE) -> tuple[int, int]:
    """Page and size; a size that is too large becomes the largest. Raises Unprocessable."""
    values = []
    for name, default in (("page", 1), ("size", DEFAULT_PAGE)):
        text = request.args.get(name, str(default))
        if not text.isdecimal() or int(text) < 1:
            raise Unprocessable("paging", f"Invalid {name} {text}")
        values.append(int(text))
    return values[0], min(values[1], largest)


def _reference(seen: EnphaseSite) -> str:
    return f"ref-{seen.site.number:05d}"


def _interconnected(seen: EnphaseSite) -> int | str | None:
    """Epoch seconds, a date, or nothing: all three were seen."""
    since = seen.site.operational_since
    return (None, since.date().isoformat(), int(since.timestamp()))[seen.site.number % 3]
