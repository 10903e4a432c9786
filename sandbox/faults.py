"""Faults of a vendor's API that tests switch on: their kinds, and the calls that they affect."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.fields import BadField, an_object, flag, number, one_of, text, whole

# No fault holds a connection longer than this many seconds.
LONGEST = 120.0


@dataclass(frozen=True)
class Drip:
    """part: "headers" or "body"; every: seconds between two bytes."""

    part: str
    every: float


@dataclass(frozen=True)
class Fault:
    """The effect on a call. `delay` comes first and combines with all others, `status` with `body` and `redirect`.

    after: the effect takes the place of the answer to a call that was handled; by default no call is handled.
    method: of the calls that it meets; by default all.
    """

    status: int | None = None
    delay: float = 0.0
    hang: bool = False
    drip: Drip | None = None
    reset: bool = False
    body: str | None = None
    huge: int | None = None
    redirect: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str | None = None
    method: str | None = None
    times: int | None = None
    data: str = ""
    after: bool = False

    def meets(self, method: str, path: str) -> bool:
        """Whether it applies to that path below the vendor's base; a trailing `*` stands for any rest."""
        if self.method not in (None, method):
            return False
        if self.path is None:
            return True
        return path.startswith(self.path[:-1]) if self.path.endswith("*") else path == self.path


def _drip(name: str, raw: Any) -> Drip:
    members = an_object(raw, {"part", "every"}, name)
    if members.get("part") not in ("headers", "body"):
        raise BadField(f"{name}.part", '"headers" or "body" is expected')
    return Drip(members["part"], number(0.001, LONGEST)(f"{name}.every", members.get("every", 0.5)))


def _path(name: str, raw: Any) -> str:
    if not text(name, raw).startswith("/"):
        raise BadField(name, "a path below the vendor's base is expected, such as /v1/plants or /v1/*")
    return str(raw)


def _headers(name: str, raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise BadField(name, "an object of texts is expected")
    return raw


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "status": whole(200, 599),
    "delay": number(0, LONGEST),
    "hang": flag,
    "drip": _drip,
    "reset": flag,
    "body": text,
    "huge": whole(1, 10**11),
    "redirect": text,
    "headers": _headers,
    "path": _path,
    "method": one_of(("GET", "POST", "PUT", "PATCH", "DELETE")),
    "data": text,
    "times": whole(1, 10**9),
    "after": flag,
}
EXCLUSIVE = ("hang", "drip", "reset", "body", "huge", "redirect")


def parse(raw: Any) -> Fault | None:
    """The fault that a JSON object describes; None for `{}`. Raises BadField."""
    members = {name: CHECKS[name](name, value) for name, value in an_object(raw, CHECKS).items()}
    both = [name for name in EXCLUSIVE if members.get(name)]
    if len(both) > 1:
        raise BadField(both[1], f"cannot go together with {both[0]}")
    return Fault(**members) if members else None


class Faults:
    """The fault of each vendor, counted down as it is met."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}

    def set(self, vendor: str, fault: Fault | None) -> None:
        """Replaces the vendor's fault; None clears it."""
        with self._lock:
            self._faults.pop(vendor, None)
            if fault is not None:
                self._faults[vendor] = fault

    def take(self, vendor: str, method: str, path: str, *, only_named: bool = False) -> Fault | None:
        """The fault that this call meets, if any; `only_named`: if it names a path."""
        with self._lock:
            fault = self._faults.get(vendor)
            if fault is None or not fault.meets(method, path) or (only_named and fault.path is None):
                return None
            if fault.times is not None:
                self._spend(vendor, fault, fault.times)
            return fault

    def _spend(self, vendor: str, fault: Fault, times: int) -> None:
        if times > 1:
            self._faults[vendor] = replace(fault, times=times - 1)
        else:
            del self._faults[vendor]
