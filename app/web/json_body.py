"""The JSON body of a request, as strict as the schemas need it: no member twice, and every number a number.

The standard library's parser, unlike orjson's, shows members that stand twice, and reads numbers beyond a float as
infinite ones, so that the field that holds one can refuse it by name.
"""

import json
import re
from typing import Any, NoReturn

import orjson

from app.web.problems import invalid

# Longer integers become floats: the standard library refuses those of some thousand digits.
EXACT_DIGITS = 18
MAX_NAME = 50
TOO_DEEP = "The body is nested too deeply."
HALF_CHARACTER = "The body has a text with half a character: one of the two \\u escapes of a pair."
ORDINARY_NAME = re.compile(r"[A-Za-z0-9_-]{1,50}")


def parse(body: bytes) -> Any:
    """The value; raises a 400 Problem."""
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_object, parse_int=_integer, parse_constant=_refuse_constant
        )
    except RecursionError as error:
        raise invalid(TOO_DEEP) from error
    except ValueError as error:
        raise invalid("The body is not valid JSON.") from error
    try:
        # Refuses half characters, which no database stores, and more than 254 levels.
        orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise invalid(HALF_CHARACTER if _has_half_character(value) else TOO_DEEP) from error
    return value


def shown_name(name: str) -> str:
    """A member's name for a sentence: quoted unless it is an ordinary one, and without the end of a long one."""
    return name if ORDINARY_NAME.fullmatch(name) else json.dumps(name[:MAX_NAME])


def _has_half_character(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except RecursionError:
        pass
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise invalid(f"The body has the member {shown_name(name)} twice.")
        members[name] = value
    return members


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= EXACT_DIGITS else float(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise invalid(f"The body is not valid JSON: {name} is no JSON value.")
