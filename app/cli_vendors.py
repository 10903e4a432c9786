"""The commands for vendors: what is installed, a new plugin, and the set-up of an application at a vendor."""

import re
from typing import Any
from urllib.parse import urlsplit

import click
from flask.cli import AppGroup

from app.api.services import services
from app.cli_group import OneLine, print_json
from app.credentials.cipher import Unreadable
from app.web.log import conceal
from vendors.kit import Credential, Stage, VendorError, registry, scaffold
from vendors.kit.consent.registration import Registrar
from vendors.kit.deadline import Deadline

DOMAIN = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")


class OneLineGroup(OneLine, AppGroup):
    """A group that is a command itself when no other is named."""

    command_class = OneLine


@click.group("vendors", cls=OneLineGroup, invoke_without_command=True)
@click.pass_context
def vendors(context: click.Context) -> None:
    """List the installed vendors, with the stage of each."""
    if context.invoked_subcommand is None:
        plugins = sorted(registry.discover().items())
        print_json(
            {"vendors": {name: f"{kind.__module__}.{kind.__qualname__} ({kind.stage})" for name, kind in plugins}}
        )


@vendors.command("new")
@click.argument("name")
@click.option(
    "--stage", type=click.Choice([stage.value for stage in scaffold.FILES]), default="list", show_default=True
)
def new_vendor(name: str, stage: str) -> None:
    """Write the skeleton of a new vendor: recorded cases, plugin, section, and for series an emulator."""
    try:
        files = scaffold.write_skeleton(name, Stage(stage))
    except scaffold.ScaffoldError as error:
        raise click.ClickException(str(error)) from error
    print_json({"written": files, "next": f".venv/bin/python -m pytest tests/vendors -k {name}"})


@vendors.command("setup")
@click.argument("name")
@click.option("--credentials", "id", required=True, help="Id of the stored credentials of the application.")
@click.option("--domain", help="Domain of this server. Default: that of PUBLIC_URL.")
@click.option("--region", "regions", multiple=True, help="Region of the vendor; may be repeated. Default: the usual.")
@click.pass_context
def set_up(context: click.Context, name: str, id: str, domain: str | None, regions: tuple[str, ...]) -> None:
    """Register an application at a vendor, which then takes the consents of owners. May be run again.

    Makes the key pair that the vendor reads on this server. Ends with 1 unless every region has accepted.
    """
    registrar = _registrar(name)
    host = _domain(domain)
    unknown = set(regions) - set(registrar.regions)
    if unknown:
        raise click.ClickException(f"{name} has no region {min(unknown)!r}, only {', '.join(registrar.regions)}.")
    application = _application(name, id, registrar.registration.type)
    try:
        services().credentials.vendor_keys.ensure(name)
    except Unreadable as failure:
        raise click.ClickException(failure.advice) from failure
    services().database.checkpoint()
    results = {
        region: _register(registrar, application, region, host) for region in regions or registrar.registration.regions
    }
    key_url = f"https://{host}{registrar.registration.key_path}"
    print_json({"vendor": name, "domain": host, "publicKey": key_url, "regions": results})
    if any(result["result"] != "registered" for result in results.values()):
        context.exit(1)


def _registrar(name: str) -> Registrar:
    cloud = services().clouds.get(name)
    if cloud is None:
        raise click.ClickException(f"There is no vendor {name!r}; `vendors` lists them.")
    if cloud.registrar is None:
        raise click.ClickException(f"{name} needs no set-up.")
    return cloud.registrar


def _domain(domain: str | None) -> str:
    """The domain, which vendors compare with that of the application."""
    host = domain or urlsplit(services().settings.public_url or "").hostname
    if not host:
        raise click.ClickException("There is no domain: set PUBLIC_URL, or give --domain.")
    if not DOMAIN.fullmatch(host.lower()):
        raise click.ClickException("--domain must be a bare domain, such as derapi.example.com.")
    return host.lower()


def _application(name: str, id: str, type: str) -> Credential:
    try:
        stored = services().credentials.stored.find(id)
    except Unreadable as failure:
        raise click.ClickException(failure.advice) from failure
    if stored is None:
        raise click.ClickException(f"There are no stored credentials {id!r}.")
    vendor, credential = stored
    if vendor != name or credential.variant is None or credential.variant.type != type:
        raise click.ClickException(f"The credentials {id} are not of the vendor {name} and the type {type}.")
    return credential


def _register(registrar: Registrar, application: Credential, region: str, domain: str) -> dict[str, Any]:
    """The result for a region, as it is printed."""
    conceal(*application.secrets)
    try:
        registrar.register(application, region, domain, Deadline(services().settings.request_deadline))
    except VendorError as failure:
        return {"result": failure.code, "detail": str(failure), "action": failure.stored_advice or failure.advice}
    return {"result": "registered"}
