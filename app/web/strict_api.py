"""flask-smorest made strict: unknown parameters are refused by name, and every error is a problem."""

from collections.abc import Mapping
from typing import Any, NoReturn

import flask_smorest
import marshmallow as ma
import orjson
from flask import Request, Response
from webargs.flaskparser import FlaskParser, is_json_request

from app.web import problems
from app.web.problems import invalid

# What a view returns: members, status and headers.
ViewResult = tuple[dict[str, Any], int, dict[str, str]]


class StrictParser(FlaskParser):
    """Refuses parameters that the schema does not know, with 400 and the parameter's name."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": ma.RAISE}

    def handle_error(self, error: ma.ValidationError, *arguments: Any, **options: Any) -> NoReturn:
        raise invalid(" ".join(_sentences(error.messages))) from error

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The body, which must be JSON by its type as well. In contrast to the standard library's, orjson's parser
        bounds the depth of nesting and takes no NaN."""
        if not is_json_request(req):
            raise invalid("The body must be JSON, with the header Content-Type: application/json.")
        try:
            return orjson.loads(req.get_data())
        except orjson.JSONDecodeError as error:
            raise invalid("The body is not valid JSON.") from error


def _sentences(messages: Any, name: str = "") -> list[str]:
    """ "name: message" for each of marshmallow's nested messages, whose first level is the location."""
    if isinstance(messages, Mapping):
        return [sentence for key, inner in messages.items() for sentence in _sentences(inner, _inner_name(name, key))]
    return [f"{name}: {message}" for message in messages]


def _inner_name(name: str, key: Any) -> str:
    """The name of a member. marshmallow's "_schema" stands for the object itself."""
    if key == "_schema":
        return "The body" if name == "json" else name
    return str(key) if name in {"", "query", "json"} else f"{name}.{key}"


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's Blueprint with the strict parser."""

    ARGUMENTS_PARSER = StrictParser()


class Api(flask_smorest.Api):
    """flask-smorest's Api with problems as errors."""

    # app.api.openapi describes every error, so that no response needs to be left to a default.
    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = problems.ProblemSchema

    def handle_http_exception(self, error: Any) -> Response:
        return problems.from_http(error)
