"""The web service: `create_app` puts its parts together."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response
from flask.json.provider import JSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from app import cli, config
from app.api import (
    batteries,
    battery_control,
    calls_header,
    demo_sign_in,
    error_pages,
    grants,
    health,
    join_consent,
    join_cors,
    join_flows,
    join_forms,
    join_pages,
    join_sessions,
    paging,
    quota,
    sites,
    solar_inverters,
    token_endpoint,
    vendor_credentials,
    vendor_keys,
)
from app.api import metrics as metrics_route  # `metrics` and `virtual` are rooms of app
from app.api import virtual as virtual_routes
from app.api.openapi.document import Document
from app.api.services import Services
from app.api.virtual_slots import VirtualSlots
from app.auth import scopes
from app.auth.bearer import BearerCheck
from app.auth.caller_limits import AddressLimit, ClientLimit
from app.auth.clients import Clients
from app.auth.failed_logins import FailedLogins
from app.auth.last_use import LastUse
from app.auth.rate_limit import RateLimit
from app.auth.sign_in_codes import SignInCodes
from app.auth.tokens import Tokens
from app.control.open_orders import OpenOrders
from app.control.service import BatteryControl
from app.credentials.cipher import Cipher
from app.credentials.consent_links import ConsentLinks
from app.credentials.grants import GrantStore
from app.credentials.pending_consents import PendingConsents
from app.credentials.renewals import Renewals
from app.credentials.service import open_credentials
from app.credentials.tokens import DatabaseTokens
from app.fleet.clouds import clouds
from app.fleet.ids import Ids
from app.fleet.inventory import Inventory
from app.fleet.vendor_calls import observe
from app.join.service import open_join
from app.metrics.service import Metrics
from app.metrics.state import Parts
from app.storage import database_faults
from app.storage.database import Database
from app.storage.id_table import IdTable
from app.storage.readiness import Readiness
from app.storage.redis_ledger import SharedLedger
from app.virtual.fleet import VirtualFleet
from app.virtual.plugin import VENDOR, with_virtual
from app.web import guards, log, problems, retirement
from app.web.pages import docs_site
from app.web.pages.blueprint import Pages
from app.web.traces import open_traces
from vendors.kit.calls.events import Observer
from vendors.kit.calls.ledger import Ledger

if TYPE_CHECKING:
    from app.web.traces.spans import Traces


class OrjsonProvider(JSONProvider):
    """JSON by orjson: several times as fast as the standard library's, and never NaN, which is not JSON."""

    def dumps(self, obj: Any, **options: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **options: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs))
        return Response(body, mimetype="application/json")


def create_app(settings: config.Settings | None = None, clock: Callable[[], float] = time.monotonic) -> Flask:
    """The WSGI application.

    clock: for what expires within this process. Raises config.SettingsError when the environment is not fit to start,
    DatabaseFault when the service's database is not.
    """
    settings = settings or config.load()
    log.configure(settings.log_level, has_colors=not settings.no_color)
    app = _flask(settings)
    services = _services(settings, clock)
    services.init_app(app)
    _add_checks(app, services)
    _add_routes(app, services)
    cli.init_app(app)
    return app


def _flask(settings: config.Settings) -> Flask:
    """Flask with this service's limits, JSON and trust in proxies."""
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(
        # Flask would read it from FLASK_DEBUG, and then show callers what has failed.
        DEBUG=False,
        MAX_CONTENT_LENGTH=config.BODY_LIMIT,
    )
    app.json = OrjsonProvider(app)
    if settings.trusted_proxies:
        # Not the host: a proxy that does not set X-Forwarded-Host, such as Heroku's, passes on the caller's value.
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    return app


def _services(settings: config.Settings, clock: Callable[[], float]) -> Services:
    """The objects that live as long as the process; upgrades the embedded database first."""
    database = Database(settings.database_url)
    if settings.embedded:
        with database_faults.in_one_line():
            database.upgrade()
    traces = open_traces(settings)
    ledger = SharedLedger(settings.redis_url) if settings.redis_url else None
    calls_ledger = ledger or Ledger()
    metrics, readiness = Metrics(), Readiness(database, ledger)
    cipher = Cipher(settings.credential_keys)
    tokens = DatabaseTokens(database, cipher)
    vendor_clouds = clouds(settings, calls_ledger, clock, tokens, _observers(settings, metrics, traces))
    metrics.watch(Parts(vendor_clouds, calls_ledger, readiness))
    id_table = IdTable(database, stored=(VENDOR,))
    virtual_fleet = VirtualFleet(database)
    plugins = {name: cloud.vendor for name, cloud in vendor_clouds.items()}
    credentials = open_credentials(database, cipher, tokens, plugins, clock)
    grant_store = GrantStore(cipher, credentials, vendor_clouds, settings.id_key)
    consent_links = ConsentLinks(credentials.transactions)
    # Only the inventory knows the cloud of virtual devices: what reads headers and settings must not find it.
    all_clouds = with_virtual(vendor_clouds, virtual_fleet)
    inventory = Inventory(all_clouds, Ids(settings.id_key), id_table, clock, metrics.reuse.add_list)
    control = BatteryControl(inventory, database)
    return Services(
        settings=settings,
        database=database,
        ledger=ledger,
        clients=Clients(database, ledger, clock),
        tokens=Tokens(settings.signing_keys),
        failed_logins=FailedLogins(
            RateLimit("failed-logins", settings.failed_login_limit, ledger),
            RateLimit("failed-logins-of-address", settings.failed_login_address_limit, ledger),
            clock,
        ),
        last_use=LastUse(database),
        sign_in_codes=SignInCodes(database),
        clouds=vendor_clouds,
        id_table=id_table,
        inventory=inventory,
        virtual_fleet=virtual_fleet,
        control=control,
        open_orders=OpenOrders(control, credentials.stored),
        credentials=credentials,
        grants=grant_store,
        consent_links=consent_links,
        pending_consents=PendingConsents(credentials, grant_store, vendor_clouds),
        renewals=Renewals(credentials, vendor_clouds),
        join=open_join(database, cipher, credentials, grant_store, consent_links, vendor_clouds, ledger),
        pages=paging.Pages(settings.signing_keys),
        readiness=readiness,
        metrics=metrics,
        traces=traces,
    )


def _observers(settings: config.Settings, metrics: Metrics, traces: "Traces | None") -> tuple[Observer, ...]:
    """Observers of the calls to vendors; none that is switched off, so that it costs nothing."""
    logged: list[Observer] = [log.log_vendor_call] if settings.log_level == "DEBUG" else []
    return (observe, metrics.calls.observe, *logged, *((traces.observe,) if traces else ()))


def _add_checks(app: Flask, services: Services) -> None:
    """Registers the steps before each request, in their order: its id, its trace, the account of its calls, the
    metrics, the limit of its address, the host and the size, the end of retired routes, the
    token, the limit of its client, the scopes, a slot for virtual clients, parameters."""
    settings, ledger = services.settings, services.ledger
    addresses = AddressLimit(RateLimit("requests-of-address", settings.address_limit, ledger))
    requests = ClientLimit(RateLimit("requests-of-client", settings.client_limit, ledger))
    hosts = guards.Guards(settings.public_url)
    bearer = BearerCheck(services.clients, services.failed_logins, services.tokens)
    for part in (
        log.RequestLines(join_pages.SECRET_IN_PATH),
        *((services.traces,) if services.traces else ()),
        calls_header,
        services.metrics.requests,
        addresses,
        services.failed_logins,
        services.last_use,
        hosts,
        join_cors,
        retirement.Retirements(),
        bearer,
        requests,
        scopes,
        VirtualSlots(),
    ):
        part.init_app(app)
    problems.init_app(app, settings.public_url)
    app.before_request(guards.refuse_odd_parameters)


def _add_routes(app: Flask, services: Services) -> None:
    """The routes of the API, which /openapi.json documents, and the pages."""
    settings = services.settings
    of_vendors = (sites, battery_control, solar_inverters, batteries, quota)
    of_owners = (vendor_credentials, grants, join_sessions, join_flows, join_consent)
    modules = (*of_vendors, virtual_routes, *of_owners, token_endpoint, health)
    api = [module.blueprint for module in modules]
    for blueprint in api:
        app.register_blueprint(blueprint)
    rules, parser = services.credentials.rules, services.join.parser
    Document(api, services.clouds, rules, parser, settings.public_url).init_app(app)
    for pages in (error_pages, docs_site, vendor_keys, join_forms):
        app.register_blueprint(pages.blueprint)
    guards.refuse_head(app, join_pages.NOT_BY_HEAD)
    app.register_blueprint(metrics_route.blueprint)
    metrics_route.MetricsGate(settings.metrics_token, settings.public_url).init_app(app)
    if settings.demo_sign_in:
        app.register_blueprint(demo_sign_in.blueprint)  # Not of the API: it is in no document.
    Pages(settings.public_url, services.clouds, health.state).init_app(app)
