"""The web service: `create_app` puts its parts together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from flask import Flask, Response
from flask.json.provider import JSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from app import cli, config, version
from app.api import batteries, openapi, sites, solar_inverters
from app.api.paging import Pages
from app.auth import bearer, failed_logins, token_endpoint
from app.auth.clients import Clients
from app.fleet.clouds import clouds
from app.fleet.ids import Ids
from app.fleet.inventory import Inventory
from app.storage import database_faults
from app.storage.database import Database
from app.storage.id_table import Resources
from app.storage.redis_ledger import SharedLedger
from app.web import guards, health, log, problems, strict_api
from vendors.kit.calls.quota import Ledger


class OrjsonProvider(JSONProvider):
    """JSON several times as fast as the standard library's, and never NaN, which is not JSON."""

    def dumps(self, obj: Any, **options: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **options: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs))
        return Response(body, mimetype="application/json")


class Service(Flask):
    """Flask without its question, for each function that it calls, whether that is a coroutine: none is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: config.Settings | None = None) -> Flask:
    """The WSGI application.

    Raises config.SettingsError when the environment is not fit to start, DatabaseFault when its own database is not.
    """
    settings = settings or config.load()
    log.configure(settings.log_level)
    app = Service(__name__, static_folder=None)
    app.config.from_mapping(
        SETTINGS=settings,
        MAX_CONTENT_LENGTH=config.BODY_LIMIT,
        API_TITLE="Derapi",
        API_VERSION=version.VERSION,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
    )
    app.json = OrjsonProvider(app)
    if settings.trusted_proxies:
        # Not the host: a proxy that does not set X-Forwarded-Host, as Heroku's, passes on what callers write.
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    _store(app, settings)
    # In this order before a request: its id, the host and the size, the token, the parameters.
    for part in (log, failed_logins, guards, bearer, problems):
        part.init_app(app)
    app.before_request(guards.refuse_odd_parameters)
    _route(app)
    cli.init_app(app)
    return app


def _store(app: Flask, settings: config.Settings) -> None:
    database = Database(settings.database_url)
    if settings.embedded:
        with database_faults.in_one_line():
            database.upgrade()
    app.extensions["database"] = database
    app.extensions["pages"] = Pages(settings.secret_key)
    app.extensions["ledger"] = ledger = SharedLedger(settings.redis_url) if settings.redis_url else None
    app.extensions["clients"] = Clients(database, ledger)
    app.extensions["clouds"] = found = clouds(settings, ledger or Ledger())
    app.extensions["inventory"] = Inventory(found, Ids(settings.id_key), Resources(database))


def _route(app: Flask) -> None:
    """All routes. Those of the API proper go through `api`, which documents them in /openapi.json."""
    api = strict_api.Api(app)
    openapi.name_vendors(api.ma_plugin.converter, app.extensions["clouds"])
    for blueprint in (sites.blueprint, solar_inverters.blueprint, batteries.blueprint):
        api.register_blueprint(blueprint)
    openapi.complete(api.spec, app.extensions["clouds"])
    for plain in (health.blueprint, token_endpoint.blueprint):
        app.register_blueprint(plain)
