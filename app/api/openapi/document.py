"""/openapi.json: made once by the first request for it, so that no worker starts later because of it."""

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import orjson
from flask import Flask, Response

from app.api import calls_header
from app.api.openapi import errors, examples, security
from app.api.openapi.operations import operations
from app.web import strict_api
from app.web.strict_api import Blueprint
from vendors.kit.calls.cloud import Cloud

DESCRIPTION = """One API for the clouds of many vendors of solar inverters and batteries.

Get a token at POST /oauth2/token. Send it with each request, and with it the credential of each vendor that you want to
reach. Members that this description does not name may be added at any time; clients ignore them."""
AGE = {"Age": {"description": "Seconds since the oldest reused reply of a vendor.", "schema": {"type": "integer"}}}


class Api(strict_api.Api):
    """The API with its description. `clouds`: the vendors that a request can bring credentials for."""

    def __init__(self, app: Flask, clouds: Mapping[str, Cloud], public_url: str | None) -> None:
        super().__init__(app)
        self._clouds, self._public_url = clouds, public_url
        self._blueprints: list[Blueprint] = []
        self._describing = threading.Lock()

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """Registers the routes. Their description, a third of the CPU of a start, is made when it is asked for."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._blueprints.append(blueprint)

    def _openapi_json(self) -> Response:
        return Response(self.document, mimetype="application/json")

    @cached_property
    def document(self) -> bytes:
        """The JSON. Two threads at once would both make it, with the same result: each changes a copy."""
        with self._describing:
            while self._blueprints:
                self._describe(self._blueprints.pop(0))
        document = orjson.loads(orjson.dumps(self.spec.to_dict()))
        return orjson.dumps(self._finished(document))

    def _describe(self, blueprint: Blueprint) -> None:
        """As flask-smorest does when a blueprint is registered."""
        blueprint.register_views_in_doc(self, self._app, self.spec, name=blueprint.name, parameters=None)
        self.spec.tag({"name": blueprint.name, "description": blueprint.description})

    def _finished(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with all that flask-smorest cannot see."""
        described = list(operations(document))
        document["info"]["description"] = DESCRIPTION
        document["servers"] = [{"url": self._public_url or "/"}]
        document["security"] = security.alternatives(self._clouds)
        needed = security.scopes_by_operation(self._app)
        components = document["components"]
        components["securitySchemes"] = security.schemes(self._clouds, self._public_url or "")
        components["responses"] = errors.add(described, examples.problems())
        for operation in described:
            examples.add(operation)
            if operation.needs_token and not operation.reads_vendors:
                operation.members["security"] = security.of_token(needed[operation.method, operation.path])
            if operation.reads_vendors:
                age = AGE if operation.id != "getQuota" else {}
                operation.members["responses"]["200"]["headers"] = age | calls_header.DOCUMENTED
        return document
