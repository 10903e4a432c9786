"""Who gets a page and who gets JSON: decided by the header Accept."""

from flask import request


def prefers_page() -> bool:
    """Whether the caller prefers HTML to JSON, as a browser does that opens a URL.

    Programs send `*/*`, JSON or nothing, and get JSON.
    """
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]
