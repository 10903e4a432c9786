"""The API version of a request: its header `api-version`, else the version that its client is pinned to."""

from flask import g, request

from app.auth import bearer
from app.auth.clients import API_VERSIONS, DEFAULT_API_VERSION
from app.web.problems import Problem

HEADER = "api-version"
V1, V2024_09_01 = API_VERSIONS

PARAMETER = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "enum": list(API_VERSIONS)},
    "description": "The representation of the answer. Without it, the version that the client was created with.",
}


def requested() -> str:
    """The version of the response. Raises a 400 Problem for a version that does not exist."""
    version = request.headers.get(HEADER, _default()).strip()
    if version not in API_VERSIONS:
        known = " or ".join(API_VERSIONS)
        raise Problem(400, "unknown_api_version", f"{HEADER}: there is no such version; send {known}.")
    return version


def _default() -> str:
    """The version of a request that names none: its client's, or for the token of a session the server's."""
    return bearer.caller().api_version if "client" in g else DEFAULT_API_VERSION
