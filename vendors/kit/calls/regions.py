"""Step 4 of a call: follows a 308 to another path of the same host, and a 421 to another region."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urljoin

from vendors.kit.errors import BackendError, BadReply, Timeout, VendorDown, VendorError
from vendors.kit.messages import RawReply, Request
from vendors.kit.parsing.ids_in_paths import fits_path

MOVED, MISDIRECTED = 308, 421


def moved_to(request: Request, raw: RawReply) -> Request | None:
    """The request that follows a 308: for a GET, and only below its own base URL; else None."""
    if request.method != "GET":
        return None
    location = urljoin(request.url, raw.headers.get("location", ""))
    path, mark, query = location.removeprefix(request.base).partition("?")
    if not location.startswith(request.base + "/") or not all(map(fits_path, path.split("/")[1:])):
        return None
    return replace(request, path=path, query=mark + query, headers={})


def is_answer(raw: RawReply) -> bool:
    """Whether the region knows the account."""
    return raw.status < 500 and raw.status != MISDIRECTED


def ask_other_regions(
    bases: Iterable[str], request: Request, refused: RawReply, send: Callable[[Request], RawReply]
) -> tuple[Request, RawReply]:
    """The request and reply of the region that knows the account; calls each base URL except that of `request` once.

    A region that is down may be the right one: its failure is raised only if no other region knows the account. A call
    of single use ends there, since that region may have acted on it.
    """
    failures: list[VendorError] = []
    result = request, refused
    for moved in [replace(request, base=base, headers={}) for base in bases if base != request.base]:
        try:
            raw = send(moved)
        except (BackendError, Timeout, VendorDown, BadReply) as error:
            if request.is_single_use:
                raise
            # Its traceback refers to this frame: a cycle.
            failures.append(error.with_traceback(None))
            continue
        if is_answer(raw) or (request.is_single_use and raw.status != MISDIRECTED):
            return moved, raw
        if raw.status != MISDIRECTED:
            result = moved, raw
    if failures and result[1] is refused:
        # Popped: otherwise the error and this frame would refer to each other.
        raise failures.pop()
    return result
