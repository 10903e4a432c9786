"""Pages of database rows, which the database reads in the order of their keys and no further than a page needs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import request

from app.api import paging
from app.api.services import services
from app.auth import bearer

T = TypeVar("T")


def page(
    query: Mapping[str, Any],
    read: Callable[[str, int], Sequence[T]],
    key_of: Callable[[T], str],
    members_of: Callable[[T], dict[str, Any]],
    filters: Sequence[str] = (),
) -> dict[str, Any]:
    """The page that a query asks for, with the token of the next one.

    read: the first rows behind a key, at most so many. filters: what the token is bound to, in addition to the client
    and the path.
    """
    bound_to, size = (bearer.caller().id, request.path, *filters), query.get("page_size", paging.DEFAULT_SIZE)
    token = query.get("page_token")
    rows = read(services().pages.read(token, bound_to) if token is not None else "", size + 1)
    page: dict[str, Any] = {"items": [members_of(row) for row in rows[:size]]}
    if len(rows) > size:
        page["next_page_token"] = services().pages.token(key_of(rows[size - 1]), bound_to)
    return page
