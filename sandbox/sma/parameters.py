"""Query parameters, whose names SMA accepts in any letter case."""

from flask import request


def parameter(name: str) -> str:
    """The parameter's value; "" when it is missing."""
    return next((value for key, value in request.args.items() if key.lower() == name.lower()), "")


def asked_for(name: str) -> bool:
    """Whether the parameter is `true`."""
    return parameter(name).lower() == "true"
