"""/openapi.json: made once by the first request for it, so that no worker starts later because of it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import flask_smorest
import orjson
from flask import Flask, Response

from app import version
from app.api import calls_header
from app.api.openapi import errors, examples, security, vendors
from app.api.openapi.operations import operations
from app.auth.scopes import Scope
from app.credentials.rules import Rules
from app.join.config import Parser
from app.web import problems
from app.web.strict_api import Blueprint
from vendors.kit.calls.cloud import Cloud

DESCRIPTION = """One API for the clouds of many vendors of solar inverters and batteries.

Get a token at POST /oauth2/token. Send it with each request, and with it the credential of each vendor that you want to
reach. Members that this description does not name may be added at any time; clients ignore them."""
AGE = {"Age": {"description": "Seconds since the oldest reused reply of a vendor.", "schema": {"type": "integer"}}}


class _Api(flask_smorest.Api):
    # app.api.openapi.errors describes every error, so that no response needs to be left to a default.
    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = problems.ProblemSchema


class Document:
    """The description of the service's routes.

    blueprints: of the API. clouds: the vendors that a request can bring credentials for.
    """

    def __init__(
        self,
        blueprints: Sequence[Blueprint],
        clouds: Mapping[str, Cloud],
        rules: Rules,
        parser: Parser,
        public_url: str | None,
    ) -> None:
        self._blueprints, self._clouds, self._rules, self._public_url = blueprints, clouds, rules, public_url
        self._parser = parser

    def init_app(self, app: Flask) -> None:
        app.add_url_rule("/openapi.json", "openapi_json", self._show)

    def _show(self) -> Response:
        return Response(self.json, mimetype="application/json")

    @cached_property
    def json(self) -> bytes:
        """The JSON. Two threads at once would both make it, with the same result."""
        app, api = self._described()
        document = orjson.loads(orjson.dumps(api.spec.to_dict()))
        return orjson.dumps(self._finished(document, app))

    def _described(self) -> tuple[Flask, _Api]:
        """An application that has the same routes and serves nothing: to describe routes takes more CPU than all the
        rest of a start, and flask-smorest does it as it registers them."""
        app = Flask(__name__, static_folder=None)
        app.config.from_mapping(API_TITLE="Derapi", API_VERSION=version.VERSION, OPENAPI_VERSION="3.1.0")
        api = _Api(app)
        vendors.list_names(api.ma_plugin.converter, self._clouds)
        vendors.describe_variants(api.ma_plugin.converter, self._rules)
        vendors.describe_join(api.ma_plugin.converter, self._parser)
        for blueprint in self._blueprints:
            api.register_blueprint(blueprint)
        return app, api

    def _finished(self, document: dict[str, Any], app: Flask) -> dict[str, Any]:
        """The document with all that flask-smorest cannot see."""
        described = list(operations(document))
        document["info"]["description"] = DESCRIPTION
        document["servers"] = [{"url": self._public_url or "/"}]
        document["security"] = security.alternatives(self._clouds)
        needed = security.scopes_by_operation(app)
        components = document["components"]
        components["securitySchemes"] = security.schemes(self._clouds, self._public_url or "")
        components["responses"] = errors.add(described, examples.problems())
        for operation in described:
            examples.add(operation)
            scopes = needed.get((operation.method, operation.path), ())
            if operation.needs_token and not operation.reads_vendors:
                operation.members["security"] = security.of_token(scopes)
            elif operation.reads_vendors and scopes != (Scope.READ,):
                operation.members["security"] = security.alternatives(self._clouds, scopes)
            if operation.reads_vendors:
                age = AGE if operation.id != "getQuota" else {}
                operation.members["responses"]["200"]["headers"] = age | calls_header.DOCUMENTED
        return document
