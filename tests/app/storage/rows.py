"""Rows in every table."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.storage.control_tables import ControlEventRow, ControlOrderRow, ControlReadingRow, ControlWriteRow
from app.storage.credential_tables import VendorCredentialRow, VendorTokenRow
from app.storage.database import Base, ClientRow, IdTableRow
from app.storage.grant_table import ConsentLinkRow, GrantRow
from app.storage.join_tables import JoinAttemptRow, JoinFlowRow, JoinOriginRow, JoinSessionRow
from app.storage.once_tables import ControlLeaseRow, IdempotencyKeyRow
from app.storage.sign_in_code_table import SignInCodeRow
from app.storage.vendor_key_table import VendorKeyRow
from app.storage.virtual_tables import (
    SOLAR_INVERTER,
    VENDOR_NAME,
    VirtualControlEventRow,
    VirtualDeviceRow,
    VirtualSiteRow,
)

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def add_rows(session: Session, client: str, *, expires_at: int, revoked_at: int | None = None) -> None:
    """Adds a client with a row in every table, and ids of a vendor and of its virtual devices."""
    for row in _rows(client, expires_at, revoked_at):
        session.add(row)
        session.flush()


def _rows(client: str, expires_at: int, revoked_at: int | None) -> Iterator[Base]:
    """The rows, a row before those that refer to it."""
    yield ClientRow(
        id=client, name=client, mode="virtual", api_version="v1", secret_sha256="0" * 64,
        created_at=1, revoked_at=revoked_at,
        scopes="read credentials", former_secrets=[], last_used_at=1,
    )  # fmt: skip
    site, device, credential = (f"{client}-{kind}" for kind in ("site", "device", "credential"))
    yield VirtualSiteRow(
        id=site, client_id=client, name="roof", latitude=52.5, longitude=13.4, timezone="Europe/Berlin",
        operational_since=NOON, made_for_device=False,
    )  # fmt: skip
    yield VirtualDeviceRow(
        id=device, client_id=client, site_id=site, kind=SOLAR_INVERTER, name="roof", model="M", serial_number="7",
        created_at=NOON, lifetime_kwh=12.5, lifetime_start=NOON,
    )  # fmt: skip
    yield VirtualControlEventRow(
        id=f"{client}-command", client_id=client, site_id=site, start_at=NOON, end_at=NOON, mode="Idle", shares={},
    )  # fmt: skip
    yield VendorCredentialRow(
        id=credential, client_id=client, name="sma 1", vendor="sma", type="customgrant", key_id="k",
        ciphertext="sealed", created_at=NOON,
    )  # fmt: skip
    yield VendorTokenRow(id=credential, key_id="k", ciphertext="sealed", expires_at=1e9)
    yield GrantRow(id=credential, client_id=client, status="active")
    yield ConsentLinkRow(token_hash=f"{client}-link", grant_id=credential, expires_at=expires_at)
    order = f"{client}-order"
    yield ControlOrderRow(
        id=order, client_id=client, plan_id="p", site_id=f"{client}-0", vendor="sma", site_key=["13"], asked={},
        command="charge", start_at=NOON, end_at=NOON, state="scheduled", text="", is_listed=True, created_at=NOON,
        reported_at=NOON,
    )  # fmt: skip
    yield ControlEventRow(
        id=f"{client}-event", order_id=order, position=0, start_at=NOON, end_at=NOON, mode="Idle", state="planned",
        text="",
    )  # fmt: skip
    yield ControlWriteRow(
        id=f"{client}-write", order_id=order, site_id=f"{client}-0", action="add", event={}, sent_at=NOON, answer="",
    )  # fmt: skip
    yield ControlReadingRow(id=f"{client}-reading", order_id=order, at=NOON, events=[])
    yield ControlLeaseRow(site_id=f"{client}-0", holder="h", purpose="plan", expires_at=expires_at)
    yield IdempotencyKeyRow(
        client_id=client, key_sha256="0" * 64, request_sha256="0" * 64, holder="h", leased_until=expires_at,
        expires_at=expires_at, status=200, content_type="application/json", body=b"{}",
    )  # fmt: skip
    yield VendorKeyRow(id=f"vendor of {client}", key_id="k", ciphertext="sealed", public_key="PEM", created_at=NOON)
    yield JoinSessionRow(
        id=f"{client}-session", client_id=client, token_hash="0" * 64, vendors=[], stores=True, expires_at=expires_at,
    )  # fmt: skip
    flow = f"{client}-flow"
    yield JoinFlowRow(id=flow, client_id=client, vendors=[], redirect_uri="https://www.example.org/", created_at=NOON)
    yield JoinAttemptRow(
        state_hash=f"{client}-state", client_id=client, flow_id=flow, vendor="sma", browser_hash="0" * 64,
        expires_at=expires_at,
    )  # fmt: skip
    yield JoinOriginRow(client_id=client, origin="https://www.example.org")
    yield SignInCodeRow(code_sha256=f"{client}-code", client_id=client, expires_at=expires_at)
    for number, (vendor, key) in enumerate(((VENDOR_NAME, site), (VENDOR_NAME, device), ("sma", "13"))):
        yield IdTableRow(id=f"{client}-{number}", vendor=vendor, kind="x", key=[key])
