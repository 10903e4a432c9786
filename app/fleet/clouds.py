"""The vendor clouds of this process, made from the discovered plugins and the settings."""

import time
from collections.abc import Callable, Collection
from hashlib import blake2b

from app.config import Settings, SettingsError, settings_error
from app.web.log import conceal
from vendors.kit import Rate
from vendors.kit.calls.cloud import Cloud, open_cloud
from vendors.kit.calls.events import Observer
from vendors.kit.calls.ledger import Ledger
from vendors.kit.calls.reply_cache import ReplyCache
from vendors.kit.http.transport import Transport
from vendors.kit.registry import NameTaken, discover
from vendors.kit.tokens.store import TokenStore


def clouds(
    settings: Settings,
    ledger: Ledger,
    clock: Callable[[], float] = time.monotonic,
    token_store: TokenStore | None = None,
    observers: tuple[Observer, ...] = (),
) -> dict[str, Cloud]:
    """Clouds by vendor name. VENDOR_URL_<NAME> overrides SANDBOX_URL, which overrides the public addresses.

    observers: called with each event of each call.

    Raises SettingsError when two plugins claim one name, and for the URL or limit of a vendor that does not exist: its
    credentials would go elsewhere.
    """
    try:
        vendors = discover()
    except NameTaken as error:
        raise SettingsError(str(error)) from error
    _refuse_unknown_vendors(settings, vendors)
    # Not from SECRET_KEYS: during their rotation the hosts would count the calls of one credential under two names.
    secret = blake2b(settings.id_key.encode(), person=b"derapi-groups").digest()
    replies = ReplyCache(clock=clock)
    opened: dict[str, Cloud] = {}
    for name, vendor in vendors.items():
        base_url = settings.vendor_urls.get(name) or (settings.sandbox_url and f"{settings.sandbox_url}/{name}")
        # A separate transport for each vendor, so that no vendor uses up the connections of another.
        transport = Transport(settings.proxy_url or "", settings.vendor_ca_file or "")
        limit = settings.vendor_limits.get(name)
        rate = Rate(*limit) if limit else None
        opened[name] = open_cloud(
            name, vendor, transport, replies, base_url or "", rate, ledger, secret, token_store, conceal, observers
        )
    return opened


def _refuse_unknown_vendors(settings: Settings, vendors: Collection[str]) -> None:
    """Raises SettingsError for the URL or limit of a vendor that does not exist."""
    unknown = [f"VENDOR_URL_{name.upper()}" for name in settings.vendor_urls if name not in vendors]
    unknown += [f"VENDOR_LIMIT_{name.upper()}" for name in settings.vendor_limits if name not in vendors]
    if unknown:
        raise settings_error([f"{setting}: there is no such vendor, only {', '.join(vendors)}" for setting in unknown])
