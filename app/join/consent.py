"""Consent of an owner, from the first page to the grant: in a browser, by keys that are typed in, or by e-mail."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from app.credentials.consent_links import ConsentLinks
from app.credentials.grants import ADDRESS, GrantStore
from app.credentials.status import Status
from app.fleet import credential_check
from app.fleet.credential_check import Verdict
from app.join.answers import STORED, keys_as_answer, tokens_of
from app.join.applications import Applications
from app.join.attempts import LINK, VERIFIER, Attempts, Begun, TooMany
from app.join.config import VendorConfig
from app.join.failures import ConsentFailure, Reason, failures
from app.join.sessions import Sessions
from app.join.source import Source, SourceKind, Sources, of_session
from app.storage.join_tables import JoinAttemptRow, JoinSessionRow
from app.web.log import conceal
from vendors.kit import Credential, NotFound
from vendors.kit.calls.cloud import Cloud
from vendors.kit.consent.code_grant import Granted
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Refused
from vendors.kit.variants import CLIENT_ID, CodeGrant, TypedKeys, Variant

# The state of a consent by e-mail that the owner has given.
ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Question:
    """A new attempt, and how the owner is asked. url: the vendor's page; None if a form of this service asks."""

    begun: Begun
    source: Source
    variant: Variant
    vendor: str
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that its browser has come back with, or with keys that a client's own page sends."""

    row: JoinAttemptRow
    source: Source
    config: VendorConfig
    variant: Variant
    verifier: str | None = field(default=None, repr=False)

    @property
    def company_state(self) -> str | None:
        """The state that is handed back to the company."""
        return self.row.company_state


@dataclass(frozen=True, slots=True)
class Outcome:
    """A consent that was given, or asked for by e-mail.

    grant_id: None if the client gets the tokens, and for an e-mail: any visitor may name an owner's address.
    """

    grant_id: str | None
    is_given: bool = True


class Consents:
    """Begins and completes attempts."""

    def __init__(
        self,
        sessions: Sessions,
        sources: Sources,
        attempts: Attempts,
        applications: Applications,
        grants: GrantStore,
        links: ConsentLinks,
        clouds: Mapping[str, Cloud],
    ) -> None:
        self._sessions, self._sources, self._attempts, self._applications = sessions, sources, attempts, applications
        self._grants, self._links, self._clouds = grants, links, clouds

    def begin(self, source: Source, vendor: str, company_state: str | None, redirect_uri: str) -> Question:
        """A new attempt at a vendor of the source. Raises ConsentFailure."""
        config, variant = self._variant(source, vendor)
        if config is None or variant is None:
            raise ConsentFailure(Reason.OTHER_VENDOR)
        is_of_vendor = isinstance(variant.consent, CodeGrant)
        application = self._applications.open(source, config, variant) if is_of_vendor else None
        begun = self._begun(source, vendor, company_state)
        if application is None:
            return Question(begun, source, variant, vendor)
        endpoint = self._clouds[vendor].consents[variant.type]
        url = endpoint.authorize_url(application[CLIENT_ID], redirect_uri, begun.state, begun.verifier)
        return Question(begun, source, variant, vendor, url)

    def look(self, vendor: str, state: str, browser: str) -> Attempt:
        """The attempt with this state, which is not used up by this. Raises ConsentFailure."""
        row = self._attempts.look(vendor, state, browser)
        if row is None:
            raise ConsentFailure(Reason.ENDED)
        with failures():
            secrets = self._attempts.secrets(row)
        source = self._sources.of(row, secrets[LINK])
        config, variant = self._variant(source, vendor) if source else (None, None)
        if source is None or config is None or variant is None:
            raise ConsentFailure(Reason.ENDED)
        return Attempt(row, source, config, variant, secrets[VERIFIER])

    def of_page(self, row: JoinSessionRow, vendor: str) -> Attempt | None:
        """A new attempt with keys that a client's own page sends; None if the session or vendor takes none.

        Raises ConsentFailure.
        """
        source = of_session(row)
        variant = self._variant(source, vendor)[1]
        if variant is None or not isinstance(variant.consent, TypedKeys) or row.vendor is not None:
            return None
        begun = self._begun(source, vendor, None)
        return self.look(vendor, begun.state, begun.browser)

    def decline(self, attempt: Attempt) -> None:
        """Ends an attempt at whose vendor the owner has refused. Raises ConsentFailure if it has ended."""
        self._use(attempt)

    def by_code(
        self, attempt: Attempt, code: str, callback: Mapping[str, str], redirect_uri: str, deadline: Deadline
    ) -> Outcome:
        """Completes an attempt with the vendor's code, and the parameters of the callback. Raises ConsentFailure."""
        source, config, variant = attempt.source, attempt.config, attempt.variant
        if not isinstance(variant.consent, CodeGrant):
            raise ConsentFailure(Reason.ENDED)
        with self._claimed(attempt):
            application = self._applications.open(source, config, variant)
            endpoint = self._clouds[config.vendor].consents[variant.type]
            granted = endpoint.exchange(application, code, redirect_uri, attempt.verifier, callback, deadline)
            conceal(granted.token.access, granted.token.refresh or "")
            if not source.stores:
                return self._hand_out(attempt, tokens_of(granted))
            secrets = {} if config.credentials_id else self._applications.inline(source, config)
            return self._keep(attempt, secrets, granted, Status.ACTIVE)

    def by_keys(self, attempt: Attempt, keys: Mapping[str, str], deadline: Deadline) -> Outcome:
        """Completes an attempt with keys, which the vendor is asked about. Raises ConsentFailure."""
        credential = Credential.stored(attempt.variant, keys)
        conceal(*keys.values())
        with self._claimed(attempt):
            result = credential_check.check(self._clouds, attempt.config.vendor, credential, deadline)
            if result.verdict is not Verdict.WORKS:
                refused = result.verdict is Verdict.REFUSED
                raise ConsentFailure(Reason.KEYS_REFUSED if refused else Reason.VENDOR_DOWN)
            if not attempt.source.stores:
                return self._hand_out(attempt, keys_as_answer(keys))
            return self._keep(attempt, keys, None, Status.ACTIVE)

    def by_mail(self, attempt: Attempt, address: str, deadline: Deadline) -> Outcome:
        """Lets the vendor write to an address. For an address that the vendor does not know the outcome is the same.

        Raises ConsentFailure.
        """
        conceal(address)
        with self._claimed(attempt):
            application = self._applications.open(attempt.source, attempt.config, attempt.variant)
            try:
                self._attempts.count_mail(attempt.source, attempt.row)
            except TooMany as error:
                raise ConsentFailure(Reason.TOO_MANY) from error
            status, end = self._ask(attempt, application, address, deadline)
            # Also for an owner who has given consent before: the page is the same for each address.
            return self._keep(attempt, {ADDRESS: address}, None, status, is_given=False, expires_at=end)

    def _ask(
        self, attempt: Attempt, application: Credential, address: str, deadline: Deadline
    ) -> tuple[Status, datetime | None]:
        """The state, and when it ends if the vendor states that."""
        channel = self._clouds[attempt.config.vendor].back_channels[attempt.variant.type]
        try:
            consent = channel.ask(application, address, deadline)
        except (NotFound, Refused):
            # The vendor does not know the address, which the page must not show.
            return Status.PENDING, None
        return Status.ACTIVE if consent.state == ACCEPTED else Status(consent.state), consent.expires_at

    @contextmanager
    def _claimed(self, attempt: Attempt) -> Iterator[None]:
        """Uses the attempt up; whatever fails becomes a ConsentFailure, after which the owner may try again."""
        self._use(attempt)
        session = self._session(attempt.source)
        if session and not self._sessions.claim(session, attempt.config.vendor):
            raise ConsentFailure(Reason.ENDED)
        try:
            with failures():
                yield
        except BaseException:
            if session:
                self._sessions.release(session)
            raise

    def _begun(self, source: Source, vendor: str, company_state: str | None) -> Begun:
        try:
            return self._attempts.begin(source, vendor, company_state)
        except TooMany as error:
            raise ConsentFailure(Reason.TOO_MANY) from error

    def _use(self, attempt: Attempt) -> None:
        if not self._attempts.use(attempt.row):
            raise ConsentFailure(Reason.ENDED)

    def _keep(
        self,
        attempt: Attempt,
        secrets: Mapping[str, str],
        granted: Granted | None,
        status: Status,
        *,
        is_given: bool = True,
        expires_at: datetime | None = None,
    ) -> Outcome:
        config, source = attempt.config, attempt.source
        if source.link and self._links.use(source.link) is None:
            raise ConsentFailure(Reason.ENDED)
        grant = self._grants.add(
            source.client_id,
            config.vendor,
            config.type,
            credentials_id=config.credentials_id,
            secrets=secrets,
            granted=granted,
            name=None,
            status=status,
            replaces=source.grant.id if source.grant else None,
            expires_at=expires_at,
        )
        self._finish(attempt, STORED | ({"grantID": grant.id} if is_given else {}))
        return Outcome(grant.id if is_given else None, is_given)

    def _hand_out(self, attempt: Attempt, answer: Mapping[str, str]) -> Outcome:
        self._finish(attempt, answer)
        return Outcome(None)

    def _finish(self, attempt: Attempt, answer: Mapping[str, str]) -> None:
        if session := self._session(attempt.source):
            self._sessions.finish(session, attempt.config.vendor, answer)

    def _session(self, source: Source) -> JoinSessionRow | None:
        return self._sessions.by_row(source.row) if source.kind is SourceKind.SESSION else None

    def _variant(self, source: Source, vendor: str) -> tuple[VendorConfig | None, Variant | None]:
        config = source.find(vendor)
        return config, self._applications.rules.find(vendor, config.type) if config else None
