"""flask-smorest made strict: unknown parameters are refused by name."""

from collections.abc import Mapping
from typing import Any, NoReturn

import flask_smorest
import marshmallow as ma
from flask import Request
from webargs.flaskparser import FlaskParser, is_json_request

from app.web import json_body
from app.web.problems import invalid

# What a view returns: members, status and headers.
ViewResult = tuple[dict[str, Any], int, dict[str, str]]
# A body of thousands of unknown members is not sent back in full.
MAX_FAULTS = 10


class StrictParser(FlaskParser):
    """Refuses parameters that the schema does not know, with 400 and the parameter's name."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": ma.RAISE}

    def handle_error(self, error: ma.ValidationError, *arguments: Any, **options: Any) -> NoReturn:
        raise invalid(" ".join(_sentences(error.messages)[:MAX_FAULTS])) from error

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The body, which must be JSON by its type as well."""
        if not is_json_request(req):
            raise invalid("The body must be JSON, with the header Content-Type: application/json.")
        return json_body.parse(req.get_data())


def _sentences(messages: Any, path: tuple[Any, ...] = ()) -> list[str]:
    """ "name: message" for each of marshmallow's nested messages; the first key of each path is the location."""
    if isinstance(messages, Mapping):
        return [sentence for key, inner in messages.items() for sentence in _sentences(inner, (*path, key))]
    return [f"{_name(*path)}: {message}" for message in messages]


def _name(location: str, *keys: Any) -> str:
    """The name of a member or parameter, as `list[3].member`. marshmallow's "_schema" stands for the object that has
    it."""
    names = [json_body.shown_name(key) if isinstance(key, str) else f"[{key}]" for key in keys if key != "_schema"]
    return ".".join(names).replace(".[", "[") or ("The body" if location == "json" else location)


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's Blueprint with the strict parser."""

    ARGUMENTS_PARSER = StrictParser()
