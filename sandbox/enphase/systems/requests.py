"""Credentials and parameters of a request, and the exceptions for requests that Enphase refuses."""

from base64 import b64decode
from datetime import date

from flask import request


class Unprocessable(Exception):
    """A request whose parameters Enphase refuses.

    kind: the fault, for example "date", "granularity" or "missing", from which a dialect chooses the form of its error.
    details: the text of Enphase's error.
    """

    def __init__(self, kind: str, details: str) -> None:
        super().__init__(details)
        self.kind = kind
        self.details = details


class NotFound(Exception):
    """A system, device or event type that does not exist."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f'{kind} not found for {{:id=>"{key}"}}')


def client_credentials() -> tuple[str, str]:
    """Client id and secret from `Authorization`, with or without the word `Basic`; both empty if it is malformed."""
    encoded = request.headers.get("Authorization", "").strip().rpartition(" ")[2]
    try:
        client_id, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return client_id, secret


def bearer() -> str:
    """The bearer token; empty when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def epoch_parameter(name: str) -> int | None:
    """A parameter in epoch seconds; None when it is missing. Raises Unprocessable."""
    text = request.args.get(name, "")
    if text and not text.isdecimal():
        raise Unprocessable("date", f"Failed to parse date {text}")
    return int(text) if text else None


def date_parameter(name: str) -> date | None:
    """A parameter that is a date; None when it is missing. Raises Unprocessable."""
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        # Not date.fromisoformat: it also accepts forms that this API refuses, such as 2026-W25-6.
        if len(text) == 10:
            return date(*map(int, text.split("-")))
    except (ValueError, TypeError):
        pass
    raise Unprocessable("date", f"Failed to parse date {text}")
