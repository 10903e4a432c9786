"""A vendor cloud as this process reaches it, and how a plugin is opened for one request."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vendors.kit.calls.breaker import Breaker
from vendors.kit.calls.bulkhead import Bulkhead
from vendors.kit.calls.events import Observer
from vendors.kit.calls.hooks import Hooks
from vendors.kit.calls.ledger import Ledger
from vendors.kit.calls.pipeline import Calls
from vendors.kit.calls.quota import Quota
from vendors.kit.calls.quota_state import QuotaState
from vendors.kit.calls.reply_cache import Mode, ReplyCache
from vendors.kit.calls.thread_pool import ThreadPool
from vendors.kit.calls.upstream import Upstream
from vendors.kit.consent.back_channel import BackChannelEndpoint
from vendors.kit.consent.code_grant import ConsentEndpoint
from vendors.kit.consent.registration import Registrar
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.http.transport import Transport
from vendors.kit.limits import LimitSource, Rate
from vendors.kit.tokens.authorization_server import AuthorizationHosts
from vendors.kit.tokens.endpoint import endpoint_of
from vendors.kit.tokens.memory import MemoryTokenStore
from vendors.kit.tokens.source import TokenSource, reveal
from vendors.kit.tokens.store import TokenStore
from vendors.kit.variants import BackChannel, CodeGrant
from vendors.kit.vendor import Vendor

# Concurrent sweeps of one vendor in one process. Fewer than the request threads of a worker (64), so that a vendor
# that hangs cannot occupy them all.
MAX_SWEEPS = 48
# Of these for one credential.
MAX_SWEEPS_PER_CREDENTIAL = 24


@dataclass
class Cloud(Upstream):
    """A vendor's upstream together with its plugin, and the bulkhead for its sweeps."""

    vendor: type[Vendor] = field(kw_only=True)
    has_cache: bool = field(default=True, kw_only=True)
    """Whether a sweep may find cached replies; without any, its plugin does all its work each time."""
    token_breakers: Mapping[str, Breaker] = field(default_factory=dict, kw_only=True)
    """The breakers of its token endpoints, by name."""
    sweep_slots: Bulkhead = field(default_factory=lambda: Bulkhead(MAX_SWEEPS, MAX_SWEEPS_PER_CREDENTIAL))

    consents: dict[str, ConsentEndpoint] = field(default_factory=dict)
    """Consent in a browser, by the type of the variant."""
    back_channels: dict[str, BackChannelEndpoint] = field(default_factory=dict)
    """Consent by e-mail, by the type of the variant."""
    registrar: Registrar | None = None
    """None if the vendor demands no registration of applications."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sweep_threads = ThreadPool(MAX_SWEEPS, f"sweep-{self.name}")

    def open(self, credential: Credential, deadline: Deadline, mode: Mode = Mode.REUSE) -> Vendor:
        """The plugin for one request; `mode` says how cached replies are used."""

        def connect(hooks: Hooks) -> Calls:
            return Calls(self, hooks, deadline, mode)

        return self.vendor(credential, connect)

    def region_of(self, owner: Credential, deadline: Deadline) -> str | None:
        """Region of an owner's account, as the vendor names it; None if the vendor has one region, or names another
        that the plugin does not know. Raises VendorError."""
        if len(self.urls) == 1:
            return None
        region = self.open(owner, deadline).account_region()
        return region if region in self.urls else None

    def account_of(self, owner: Credential, deadline: Deadline) -> str | None:
        """Identity of an owner's account, as the vendor names it. Raises VendorError."""
        return self.open(owner, deadline).account_id()

    def limit_group(self, credential: Credential) -> str:
        """Name of the credential's limit group in the ledger, which is a keyed hash."""
        return credential.group(self.secret, self.vendor.limits.group).hex()

    def quota_scope(self, credential: Credential) -> str:
        """Who shares the credential's quota, in words, with the public names of the members of stored credentials."""
        parts = credential.group_parts(self.vendor.limits.group)
        names = {part: name for variant in self.vendor.variants for name, part in variant.members.items()}
        return f"per {' and '.join(names.get(part, part) for part in parts) or 'credential'}"

    def quota_state(self, credential: Credential) -> QuotaState:
        """What is known of the quota that calls with this credential use."""
        return self.quota.state(self.limit_group(credential))


def open_cloud(
    name: str,
    vendor: type[Vendor],
    transport: Transport,
    reply_cache: ReplyCache,
    base_url: str = "",
    rate: Rate | None = None,
    ledger: Ledger | None = None,
    secret: bytes | None = None,
    token_store: TokenStore | None = None,
    conceal: Callable[[str], None] = reveal,
    observers: tuple[Observer, ...] = (),
) -> Cloud:
    """The cloud at its public addresses, or at `base_url`: the first region there, other regions below it by name.

    rate: the calls that may be made; by default those that the vendor publishes, and unlimited at `base_url`.
    ledger: where calls are counted; by default in this process.
    secret: the key of the limit groups' names in the ledger; by default a random one.
    token_store: where access tokens for stored credentials are kept; by default in this process.
    conceal: called with each of these tokens before it is used, for the redaction of logs.
    observers: called with each event of each call.
    """
    urls = dict(vendor.hosts[name])
    if base_url:
        first, *others = urls
        urls = {first: base_url.rstrip("/")} | {region: f"{base_url.rstrip('/')}/{region}" for region in others}
    source = LimitSource.BOUND if rate else LimitSource.PUBLISHED
    rate = rate or (None if base_url else vendor.limits.rate)
    quota = Quota(name, vendor.limits.parallel, rate, ledger, source=source)
    secret = secret or secrets.token_bytes(32)
    hosts = AuthorizationHosts(name, base_url, transport, ledger, secret, observers)
    endpoints = {
        variant.type: endpoint_of(hosts, variant.token_grant)
        for variant in vendor.variants
        if variant.token_grant is not None and name in variant.token_grant.token_urls
    }
    tokens = TokenSource(endpoints, token_store or MemoryTokenStore(), secret, conceal) if endpoints else None
    cloud = Cloud(
        name,
        urls,
        transport,
        reply_cache,
        quota,
        secret,
        tokens=tokens,
        observers=observers,
        vendor=vendor,
        token_breakers={f"tokens-{form}": endpoint.breaker for form, endpoint in endpoints.items()},
    )
    _add_consents(cloud, hosts)
    return cloud


def _add_consents(cloud: Cloud, hosts: AuthorizationHosts) -> None:
    public = cloud.vendor.hosts[cloud.name]
    if registration := cloud.vendor.registration:
        cloud.registrar = Registrar(registration, hosts, public, lambda *opened: cloud.open(*opened).client)
    for variant in cloud.vendor.variants:
        match variant.consent:
            case CodeGrant() as grant if cloud.name in grant.token_urls:
                cloud.consents[variant.type] = ConsentEndpoint(
                    grant, hosts, next(iter(public.values())), cloud.region_of, cloud.account_of
                )
            case BackChannel() as channel if cloud.name in channel.urls:
                cloud.back_channels[variant.type] = BackChannelEndpoint(channel, hosts, cloud.tokens)
