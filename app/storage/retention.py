"""Retention: how long everything is kept that the service stores, and which rows `flask prune` deletes.

A new table, key in Redis or file gets its line here, and docs/retention.md follows (`make docs`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from app.storage.control_tables import ControlEventRow, ControlOrderRow, ControlReadingRow, ControlWriteRow
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.storage.database import Base, ClientRow, IdTableRow
from app.storage.grant_table import ConsentLinkRow, GrantRow
from app.storage.join_tables import JoinAttemptRow, JoinFlowRow, JoinOriginRow, JoinSessionRow
from app.storage.once_tables import ControlLeaseRow, IdempotencyKeyRow
from app.storage.owned import OWNED
from app.storage.sign_in_code_table import SignInCodeRow
from app.storage.vendor_key_table import VendorKeyRow
from app.storage.virtual_tables import VENDOR_NAME, VirtualControlEventRow, VirtualDeviceRow, VirtualSiteRow

# For the limits on the attempts of owners.
COUNTED_SECONDS = 3600
# How long a consent by e-mail that has ended is shown to the client.
UNGIVEN_SECONDS = 7 * 86_400
# Receipts of battery control: a year of settlement, and some weeks to dispute it.
ORDER_SECONDS = 400 * 86_400
WITH_CLIENT = "until their client deletes them or is revoked"
WITH_ORDER = "as long as the order"


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that is stored: its place, its content, and how long it is kept."""

    place: str
    content: str
    ends: str


# By the name of the table.
TABLES: Mapping[str, Kept] = {
    row.__tablename__: Kept(f"table `{row.__tablename__}`", content, ends)
    for row, content, ends in (
        (
            ClientRow,
            "clients of the API: name, mode, scopes, times, hashes (SHA-256) of the secret and of those it replaced",
            "for ever, so that the list shows when a client was revoked; former secrets until they are no longer valid",
        ),
        (
            IdTableRow,
            "for each id that was listed: vendor, kind and the vendor's own ids, with some vendors a serial number",
            "for ever, since clients store the ids; of virtual sites and devices until these are deleted",
        ),
        (VirtualSiteRow, "virtual sites, as a client has made them", WITH_CLIENT),
        (VirtualDeviceRow, "virtual devices, as a client has made them", WITH_CLIENT),
        (
            VirtualControlEventRow,
            "commands to virtual batteries",
            "until their site is deleted or the client is revoked; the newest 2,000 of a site",
        ),
        (VendorCredentialRow, "vendor credentials that a client has stored, encrypted", WITH_CLIENT),
        (
            VendorTokenRow,
            "access and refresh tokens that are got with them, encrypted, and leases of their renewal",
            "until the next renewal; at the latest as long as the credentials",
        ),
        (
            GrantRow,
            "what owners of devices have granted to a client: status, region, times, keyed hash of the owner's account",
            f"{WITH_CLIENT}; a consent by e-mail that was not given, or was revoked, for 7 days after its end",
        ),
        (
            ConsentLinkRow,
            "links with which owners give consent again, as hashes (SHA-256)",
            "7 days, or until the owner has given consent",
        ),
        (
            VendorKeyRow,
            "key pairs with which this service is registered at vendors, the private keys encrypted",
            "for ever, since the vendors know them",
        ),
        (
            JoinSessionRow,
            "sessions of Join: vendors, hashes of ids and tokens; encrypted: a client's secrets that came with them, "
            "and what they give out once",
            "10 minutes, and then until the next session is started or `flask prune` runs; a client's secrets at most "
            "until the owner has given consent, and what is given out until it was",
        ),
        (
            JoinFlowRow,
            "flows of Join: vendors, the client's redirect URI; encrypted: a client's secrets that came with them",
            WITH_CLIENT,
        ),
        (
            JoinAttemptRow,
            "attempts of owners to give consent: vendor, hashes of random texts; encrypted: code verifiers",
            "10 minutes, or one use; as a count for an hour more",
        ),
        (
            ControlOrderRow,
            "orders to batteries: what a client has asked, the site's state before, and the order's state",
            "400 days after their end; at the latest until their client is revoked",
        ),
        (ControlEventRow, "the vendor's events that carry out an order", WITH_ORDER),
        (ControlWriteRow, "calls that changed something at the vendor for an order, with its answers", WITH_ORDER),
        (ControlReadingRow, "what the vendor has shown of an order: its events, power and charge", WITH_ORDER),
        (
            ControlLeaseRow,
            "sites whose battery control a request is changing, and until when",
            "as long as the request; after a crash a minute, and the row until `flask prune` runs",
        ),
        (
            IdempotencyKeyRow,
            "requests with an Idempotency-Key and their answers; hashes (SHA-256) of the key and of the request",
            "24 hours, and then until the client's next key or `flask prune`",
        ),
        (JoinOriginRow, "origins whose pages may read a client's sessions of Join", "until the operator removes them"),
        (
            SignInCodeRow,
            "hashes of codes that sign in to the fleet view; in the demo only",
            "5 minutes, or one sign-in",
        ),
    )
}
# By the beginning of the key. None contains a credential; two may contain the id of a client, the second an address.
REDIS: Mapping[str, Kept] = {
    prefix: Kept(f"Redis `{prefix}*`", content, ends)
    for prefix, content, ends in (
        (
            "LIMITS:",
            "times of calls, under a keyed hash of the group whose quota they count for",
            "the period of the quota",
        ),
        (
            "LIMITS:derapi:count:",
            "numbers of requests, failed logins and attempts of owners, by client or flow and by the caller's address",
            "twice the period of the limit, by default two minutes; of attempts two hours, with an e-mail two days",
        ),
        (
            "derapi:reported:",
            "what a vendor's answer has said about its quota, under the hash of the group",
            "the period of that quota",
        ),
        ("derapi:guessed:", "until when a group is held without a word of the vendor's", "until then"),
        ("derapi:refused:", "number of successive 429s of a group", "3 minutes after the last"),
        (
            "derapi:held:",
            "until when a group, or a revoked client with its id, is refused",
            "until then; at most a day",
        ),
    )
}
ELSEWHERE = (
    Kept(
        "file `instance/secret_key`, `id_key`, `credential_keys`",
        "the keys of the default database",
        "until the operator removes them",
    ),
    Kept(
        "memory of each process",
        "replies of vendors, at most 40 MiB",
        "up to a day; they are served while young, or while the vendor cannot be asked",
    ),
    Kept(
        "memory of each process",
        "ids that were written, lists as ids, clients, access tokens of stored credentials",
        "seconds to hours; bounded in number",
    ),
    Kept("memory of each process", "vendor credentials in headers", "for the request"),
    Kept(
        "files `derapi-metrics-*/` in the folder for temporary files",
        "metrics: numbers by route, vendor and outcome; no id",
        "until the service stops",
    ),
    Kept(
        "log on stderr",
        "a line for each request, failed vendor call and failed login; no secret, no energy",
        "as long as the operator's log collector keeps it: 30 days are enough",
    ),
)


def _of_revoked(row: type[Base], now: int = 0) -> ColumnElement[bool]:
    """Rows of clients that are revoked: written by requests that were in flight during the revocation."""
    revoked = select(ClientRow.id).where(ClientRow.revoked_at.is_not(None))
    return row.__table__.c.client_id.in_(revoked)


def _expired(
    row: type[SignInCodeRow | JoinSessionRow | JoinAttemptRow | IdempotencyKeyRow], now: int
) -> ColumnElement[bool]:
    # Attempts are counted for as long after their end.
    seconds = COUNTED_SECONDS if row is JoinAttemptRow else 0
    return or_(row.expires_at <= now - seconds, _of_revoked(row))


def _expired_links(now: int) -> ColumnElement[bool]:
    of_revoked = select(GrantRow.id).where(_of_revoked(GrantRow))
    return or_(ConsentLinkRow.expires_at <= now, ConsentLinkRow.grant_id.in_(of_revoked))


def _ended_grants(now: int) -> ColumnElement[bool]:
    is_over = GrantRow.status.in_(("pending", "rejected", "expired", "revoked")) & (
        GrantRow.ends_at <= now - UNGIVEN_SECONDS
    )
    return or_(is_over, _of_revoked(GrantRow))


def _ended_orders(now: int) -> ColumnElement[bool]:
    ended = datetime.fromtimestamp(now - ORDER_SECONDS, UTC)
    return or_(ControlOrderRow.end_at <= ended, _of_revoked(ControlOrderRow))


def _credentials_without_grants(now: int) -> ColumnElement[bool]:
    """Rows of grants that are deleted, and of revoked clients."""
    is_left = VendorCredentialRow.is_grant & VendorCredentialRow.id.not_in(select(GrantRow.id))
    return or_(is_left, _of_revoked(VendorCredentialRow))


def _tokens_without_credentials(now: int) -> ColumnElement[bool]:
    kept = select(VendorCredentialRow.id).where(~_of_revoked(VendorCredentialRow))
    return VendorTokenRow.id.not_in(kept)


def _ids_of_deleted_virtual_devices(now: int) -> ColumnElement[bool]:
    key = IdTableRow.key[0].as_string()
    is_there = or_(*(key.in_(select(row.id)) for row in (VirtualSiteRow, VirtualDeviceRow)))
    return (IdTableRow.vendor == VENDOR_NAME) & ~is_there


# Rows that are over, given the present in epoch seconds; a table before those that it refers to. Of tables that belong
# to clients, those of revoked clients at least.
OVER: Mapping[type[Base], Callable[[int], ColumnElement[bool]]] = {
    VendorTokenRow: _tokens_without_credentials,
    ConsentLinkRow: _expired_links,
    **{row: partial(_of_revoked, row) for row in OWNED},
    ControlOrderRow: _ended_orders,
    GrantRow: _ended_grants,
    VendorCredentialRow: _credentials_without_grants,
    **{row: partial(_expired, row) for row in (JoinAttemptRow, JoinSessionRow, SignInCodeRow, IdempotencyKeyRow)},
    ControlLeaseRow: lambda now: ControlLeaseRow.expires_at <= now,
    IdTableRow: _ids_of_deleted_virtual_devices,
}


def prune(session: Session, now: int) -> dict[str, int]:
    """Deletes the rows that are over, and hashes of former secrets; their number by table."""
    connection = session.connection()
    rows = {row.__tablename__: connection.execute(delete(row).where(over(now))).rowcount for row, over in OVER.items()}
    return rows | {"former_secrets": _forget_former_secrets(session, now)}


def _forget_former_secrets(session: Session, now: int) -> int:
    """Removes the hashes of secrets that are no longer valid from the rows of the clients; their number."""
    forgotten = 0
    # Locked against a rotation at the same time; SQLite has been since the first deletion.
    for client in session.scalars(select(ClientRow).with_for_update()):
        valid = [secret for secret in client.former_secrets if secret["expires_at"] > now]
        forgotten += len(client.former_secrets) - len(valid)
        client.former_secrets = valid
    session.flush()
    return forgotten
