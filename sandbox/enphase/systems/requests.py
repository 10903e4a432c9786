"""Reading what a request asks for, and refusing what cannot be."""

from base64 import b64decode
from datetime import date

from flask import request


class Unprocessable(Exception):
    """The request cannot be answered.

    kind: what is wrong with it ("date", "granularity", "duration", "age", "missing" or another word); details:
    Enphase's own words.
    """

    def __init__(self, kind: str, details: str) -> None:
        super().__init__(details)
        self.kind = kind
        self.details = details


class NotFound(Exception):
    """There is no such device or type of events."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f'{kind} not found for {{:id=>"{key}"}}')


def client_credentials() -> tuple[str, str]:
    """Name and secret of `Authorization`, with or without the word `Basic`; empty when unreadable."""
    encoded = request.headers.get("Authorization", "").strip().rpartition(" ")[2]
    try:
        client, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return client, secret


def bearer() -> str:
    """The bearer token; empty when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def epoch(name: str) -> int | None:
    """A parameter in epoch seconds; None when it is missing. Raises Unprocessable."""
    text = request.args.get(name, "")
    if text and not text.isdecimal():
        raise Unprocessable("date", f"Failed to parse date {text}")
    return int(text) if text else None


def day(name: str) -> date | None:
    """A parameter that is a date; None when it is missing. Raises Unprocessable."""
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        # Other forms that Python reads are not for this API.
        return date(*map(int, text.split("-"))) if len(text) == 10 else _unreadable(text)
    except (ValueError, TypeError):
        return _unreadable(text)


def _unreadable(text: str) -> date:
    raise Unprocessable("date", f"Failed to parse date {text}")
