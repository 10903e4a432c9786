"""Context of the current request: vendor credentials, deadline and cache mode."""

import logging
from dataclasses import dataclass

from flask import request
from sqlalchemy.exc import SQLAlchemyError

from app.api.services import services
from app.auth import bearer
from app.auth.clients import VIRTUAL
from app.fleet import vendor_access, vendor_calls, vendor_problems
from app.fleet.vendor_access import VendorAccess
from app.virtual.plugin import VENDOR, credential_of
from app.web.log import conceal
from app.web.problems import invalid
from vendors.kit.calls.reply_cache import Mode
from vendors.kit.deadline import Deadline

logger = logging.getLogger(__name__)

VIRTUAL_CLIENTS = "this client is of mode virtual, and reaches no vendor but only its virtual devices."


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The vendor clouds that a request may reach, the time it has, and whether it accepts cached replies."""

    access: VendorAccess
    deadline: Deadline
    mode: Mode


def of_request() -> RequestContext:
    """The context of the current request; its deadline begins now.

    Made by a view once it has checked its parameters, so that a wrong parameter is reported before a missing
    credential. Raises a Problem: 400 for an unusable header, 403 when no vendor is addressed and nothing is stored.
    """
    mode = Mode.REFRESH if request.cache_control.no_cache else Mode.REUSE
    access = _access()
    vendor_calls.begin(access.vendors)
    return RequestContext(access, Deadline(services().settings.request_deadline), mode)


def _access() -> VendorAccess:
    """The vendors that headers address and those whose credentials are stored; for a virtual client its virtual
    devices, which the client itself opens and nothing else."""
    clouds, client = services().clouds, bearer.caller()
    if client.mode == VIRTUAL:
        vendor_access.refuse_headers(request.headers, clouds, VIRTUAL_CLIENTS)
        return VendorAccess({VENDOR: [credential_of(client.id)]})
    access = vendor_access.read(request.headers, clouds)
    _add_stored(access, client.id)
    if not access:
        raise vendor_problems.no_access(clouds)
    for credentials in access.credentials.values():
        for credential in credentials:
            conceal(*credential.secrets)
    return access


def _add_stored(access: VendorAccess, client_id: str) -> None:
    """Adds the client's stored credentials. While the database does not answer and this process has not read them
    before, a request with headers goes on with these, so that a list does not depend on the database."""
    stored = services().credentials.stored
    try:
        access.add_stored(stored.of(client_id), stored.refused(client_id))
    except SQLAlchemyError as error:
        if not access:
            raise
        logger.warning("stored credentials are not used: %s", type(error).__name__)


def refuse_unknown_vendor(name: str | None) -> None:
    """Raises a 400 Problem for the name of a vendor that this server does not know. Only clients of mode virtual are
    shown that `virtual` is one; a list of it is empty for other clients."""
    vendors = services().clouds
    if name is not None and name not in (*vendors, VENDOR):
        names = [*vendors, VENDOR] if bearer.caller().mode == VIRTUAL else vendors
        raise invalid(f"vendor: This server knows {', '.join(names)}.")
