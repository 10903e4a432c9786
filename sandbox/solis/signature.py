"""Checks signatures of SolisCloud: HMAC-SHA1 over method, MD5, content type, date and path."""

import hmac
from base64 import b64encode
from email.utils import parsedate_to_datetime
from hashlib import md5

from flask import Request

from sandbox.solis.constants import SKEW_SECONDS

# The service accepts signatures over these, whatever the header says: a published client signs one and sends another.
CONTENT_TYPES = ("application/json", "application/json;charset=UTF-8")


def sign(secret: str, content_md5: str, content_type: str, date: str, path: str) -> str:
    """The signature, in base64."""
    text = "\n".join(("POST", content_md5, content_type, date, path))
    return b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


def refusal(request: Request, path: str, key: str, secret: str, real_time: float, strict_md5: bool) -> int | None:
    """None for a good signature, else the status: 403 for a wrong key, secret or signature, 408 for a wrong clock.

    path: below the base URL. strict_md5: whether Content-MD5 must be that of the body; the real service does not
    compare, since two published clients in use send another.
    """
    date = request.headers.get("Date") or request.headers.get("Time") or ""
    content_md5 = request.headers.get("Content-MD5", "")
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    given_key, _, signature = credential.partition(":")
    expected = [
        sign(secret, content_md5, content_type, date, path)
        for content_type in (request.headers.get("Content-Type", ""), *CONTENT_TYPES)
    ]
    signed = any(hmac.compare_digest(signature.encode(), candidate.encode()) for candidate in expected)
    if scheme != "API" or given_key != key or not signed:
        return 403
    if strict_md5 and content_md5 != b64encode(md5(request.get_data(), usedforsecurity=False).digest()).decode():
        return 403
    return None if _in_time(date, real_time) else 408


def _in_time(date: str, real_time: float) -> bool:
    try:
        return abs(parsedate_to_datetime(date).timestamp() - real_time) <= SKEW_SECONDS
    except ValueError:
        return False
