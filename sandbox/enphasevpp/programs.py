"""Programs, and the sites enrolled in each."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flask import Response, request

from sandbox.enphase.systems.site import EnphaseSite
from sandbox.enphasevpp import errors
from sandbox.enphasevpp.accounts import DEMO, PILOT, Account
from sandbox.replies import Refused, reply

DEFAULT_PAGE, LARGEST_PAGE = 10, 100


class Rules(NamedTuple):
    """Rules of programs: whether accounts may cancel events before their start, and end events that run."""

    may_cancel: bool
    may_end: bool


class Programs:
    """The endpoints that show programs and search their sites.

    account: the account of the current request, or raises Refused. entry: the list entry of a system. rules: those of
    all programs.
    """

    def __init__(
        self,
        systems: Sequence[EnphaseSite],
        account: Callable[[], Account],
        entry: Callable[[EnphaseSite], dict[str, Any]],
        rules: Callable[[], Rules],
    ) -> None:
        self._systems = systems
        self._account = account
        self._entry = entry
        self.rules = rules

    def list_programs(self) -> Response:
        """A page of the account's programs."""
        page, size = paging("page_no", "page_size")
        owned = self._account().programs
        shown = [_listed(one) for one in owned[(page - 1) * size : page * size]]
        return reply({"total_count": len(owned), "programs": shown})

    def show(self, program_id: str) -> Response:
        """One program with its rules."""
        return reply(_detailed(self.owned(program_id), self.rules()))

    def search(self, program_id: str) -> Response:
        """A page of the program's sites, the newest first unless asked otherwise. None at all is an error."""
        enrolled = self.enrolled(self.owned(program_id))
        if not enrolled:
            raise Refused(errors.error(404, f"No sites were found to be enrolled in the program: {program_id}"))
        page, size = paging("page", "size")
        order = request.args.get("sort_by", "-id")
        if order not in ("id", "-id"):
            raise Refused(errors.error(400, "Constraint Violation", "sort_by: must be id or -id"))
        enrolled.sort(key=lambda seen: seen.system_id, reverse=order == "-id")
        shown = [self._entry(seen) for seen in enrolled[(page - 1) * size : page * size]]
        head = {"total": len(enrolled), "current_page": page, "size": size, "count": len(shown)}
        return reply({**head, "items": "systems", "systems": shown})

    def enrolled(self, program_id: str) -> list[EnphaseSite]:
        """The sites of a program: all but the last in one, the first and the last in another."""
        systems = self._systems
        if program_id == DEMO:
            return list(systems[:-1] or systems)
        return [*systems[:1], *systems[1:][-1:]] if program_id == PILOT else []

    def owns(self, program_id: str) -> bool:
        """Whether the program is one of the account's."""
        return program_id in self._account().programs

    def owned(self, program_id: str, status: int = 404) -> str:
        """The program, if it is one of the account's. Raises Refused with that status."""
        if not self.owns(program_id):
            raise Refused(errors.error(status, errors.NO_PROGRAM, errors.NO_PROGRAM))
        return program_id


def _listed(program_id: str) -> dict[str, Any]:
    return {
        "name": program_id.replace("_", " "),
        "description": "A program of the sandbox",
        "program_status": "approved",
        "program_id": program_id,
        "state": "MA",
        "utility_name": "Sandbox Utility",
        "incentive_structure": {"UPFRONT_DISCOUNT": "10"},
    }


def _detailed(program_id: str, rules: Rules) -> dict[str, Any]:
    season = {"frequency": 60, "name": "summer", "duration": "Jan to Jun", "start_month": "JAN", "end_month": "JUN"}
    return {
        "event_cancellation_allowed_for_upcoming_events": rules.may_cancel,
        "event_ending_allowed_for_ongoing_event": rules.may_end,
        **_listed(program_id),
        "program_end_date": "2035-12-31",
        "min_envoyversion": "D7.3.120",
        "program_types": ["DISPATCH"],
        "seasons": [{**season, "performance_incentives_per_kw": 225}],
        "asset_type": ["PV", "BATTERY"],
        "min_allowed_soc": 10,
        "creation_date_time": "02/17/2022 12:39:01 PM",
    }


def paging(page_name: str, size_name: str) -> tuple[int, int]:
    """Page and size. Raises Refused."""
    values = []
    for name, default, largest in ((page_name, 1, 10**9), (size_name, DEFAULT_PAGE, LARGEST_PAGE)):
        text = request.args.get(name, str(default))
        if not text.isdecimal() or not 1 <= int(text) <= largest:
            raise Refused(errors.error(400, errors.BAD_PAGE, errors.BAD_PAGE))
        values.append(int(text))
    return values[0], values[1]
