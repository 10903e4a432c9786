"""Scopes of access tokens (RFC 6749, section 3.3): each route declares what a token must have, with `needs`."""

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from app.web.problems import Problem

View = TypeVar("View", bound=Callable[..., Any])
REALM = 'Bearer realm="derapi"'
# The attribute of a view in which `needs` keeps the scopes.
NEEDED = "needed_scopes"


class Scope(StrEnum):
    """A kind of access, as it is written in a token."""

    READ = "read"
    CREDENTIALS = "credentials"
    CONTROL = "control"


MEANINGS = {
    Scope.READ: "Reads everything but secrets, and makes and deletes virtual sites and devices.",
    Scope.CREDENTIALS: "Stores, changes, checks and deletes vendor credentials, and reads them with their secrets.",
    Scope.CONTROL: "Controls batteries; a client has it only if it was given.",
}
DEFAULT = frozenset({Scope.READ, Scope.CREDENTIALS})


def parse(text: str) -> frozenset[Scope]:
    """The scopes of a text with blanks between them. Leaves out unknown words: a later release may store them."""
    return frozenset(Scope) & frozenset(text.split())


def text(scopes: Collection[Scope]) -> str:
    """Scopes as one text, always in the same order."""
    return " ".join(scope for scope in Scope if scope in scopes)


def needs(*scopes: Scope) -> Callable[[View], View]:
    """Declares the scopes of a route: a token with any of them opens it. Stands directly above the view."""

    def declare(view: View) -> View:
        setattr(view, NEEDED, scopes)
        return view

    return declare


def require(*scopes: Scope) -> None:
    """Raises a 403 Problem unless the current request's token has any of these scopes."""
    if g.scopes.isdisjoint(scopes):
        detail = f"The access token lacks the scope {' or '.join(scopes)}."
        challenge = f'{REALM}, error="insufficient_scope", error_description="{detail}", scope="{scopes[0]}"'
        raise Problem(403, "insufficient_scope", detail, headers={"WWW-Authenticate": challenge})


def check() -> None:
    """Refuses a request whose token lacks the scopes of its route. A route without a declaration fails: it is a bug,
    and must not be an open door."""
    if "client" in g:
        require(*getattr(current_app.view_functions[request.endpoint or ""], NEEDED))


def init_app(app: Flask) -> None:
    """Puts the check before every request; the bearer check comes before it."""
    app.before_request(check)
