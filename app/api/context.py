"""What the current request asks with: its vendors, its deadline, its patience with what is kept."""

from flask import current_app, g, request

from app.fleet import vendor_access, vendor_problems
from app.fleet.inventory import Inventory
from app.fleet.vendor_access import VendorAccess
from app.web.log import conceal
from app.web.problems import invalid
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.deadline import Deadline

# No cloud stands behind it: the name of the devices that virtual clients make.
VIRTUAL = "virtual"


def the_inventory() -> Inventory:
    found: Inventory = current_app.extensions["inventory"]
    return found


def deadline() -> Deadline:
    return Deadline(current_app.config["SETTINGS"].request_deadline)


def mode() -> Mode:
    return Mode.REFRESH if request.cache_control.no_cache else Mode.REUSE


def vendors() -> VendorAccess:
    """The vendors of this request; none for a virtual client, whose devices have no vendor behind them."""
    if g.client.mode == VIRTUAL:
        return VendorAccess()
    clouds = current_app.extensions["clouds"]
    found = vendor_access.read(request.headers, clouds)
    if not found:
        raise vendor_problems.no_access(clouds)
    for credential in found.credentials.values():
        conceal(*credential.secrets)
    return found


def demand_known(vendor: str | None) -> None:
    """Raises a 400 Problem for the name of a vendor that this server does not know."""
    known = [*current_app.extensions["clouds"], VIRTUAL]
    if vendor is not None and vendor not in known:
        raise invalid(f"vendor: This server knows {', '.join(known)}.")
