"""Consent of an owner, from the first page to the grant: in a browser, by keys that are typed in, or by e-mail."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from app.credentials.consent_links import ConsentLinks, LinkEnded
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
from app.join.steps import Attempt, Outcome, Question
from app.storage.grant_table import GrantRow
from app.storage.join_tables import JoinSessionRow
from app.web.log import conceal
from vendors.kit import Credential, NotFound
from vendors.kit.calls.cloud import Cloud
from vendors.kit.consent.code_grant import ConsentEndpoint, Granted
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Refused
from vendors.kit.variants import CLIENT_ID, CodeGrant, TypedKeys, Variant

# The state of a consent by e-mail that the owner has given.
ACCEPTED = "accepted"
# The answer to an e-mail address takes so long at least: without it, its time would show whether the vendor knows the
# address, and whether the owner was asked before, for which there is a second call.
ANSWER_SECONDS = 3.0


class Consents:
    """Begins and completes attempts. clock: monotonic seconds. pause: waits for so many seconds."""

    def __init__(
        self,
        sessions: Sessions,
        sources: Sources,
        attempts: Attempts,
        applications: Applications,
        grants: GrantStore,
        links: ConsentLinks,
        clouds: Mapping[str, Cloud],
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clock, self.pause = clock, pause
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
        with self._claimed(attempt, deadline) as session:
            application = self._applications.open(source, config, variant)
            endpoint = self._clouds[config.vendor].consents[variant.type]
            granted = endpoint.exchange(application, code, redirect_uri, attempt.verifier, callback, deadline)
            conceal(granted.token.access, granted.token.refresh or "")
            with _ended_unless_kept(endpoint, application, granted):
                if not source.stores:
                    return self._hand_out(attempt, session, tokens_of(granted))
                secrets = {} if config.credentials_id else self._applications.inline(source, config)
                grant = self._keep(attempt, secrets, granted, Status.ACTIVE)
            return self._kept(attempt, session, grant)

    def by_keys(self, attempt: Attempt, keys: Mapping[str, str], deadline: Deadline) -> Outcome:
        """Completes an attempt with keys, which the vendor is asked about. Raises ConsentFailure."""
        credential = Credential.stored(attempt.variant, keys)
        conceal(*keys.values())
        with self._claimed(attempt, deadline) as session:
            result = credential_check.check(self._clouds, attempt.config.vendor, credential, deadline)
            if result.verdict is not Verdict.WORKS:
                refused = result.verdict is Verdict.REFUSED
                raise ConsentFailure(Reason.KEYS_REFUSED if refused else Reason.VENDOR_DOWN)
            if not attempt.source.stores:
                return self._hand_out(attempt, session, keys_as_answer(keys))
            return self._kept(attempt, session, self._keep(attempt, keys, None, Status.ACTIVE))

    def by_mail(self, attempt: Attempt, address: str, deadline: Deadline) -> Outcome:
        """Lets the vendor write to an address. For an address that the vendor does not know the outcome is the same.

        Raises ConsentFailure.
        """
        conceal(address)
        began = self.clock()
        with self._claimed(attempt, deadline) as session:
            application = self._applications.open(attempt.source, attempt.config, attempt.variant)
            try:
                self._attempts.count_mail(attempt.source, attempt.row)
            except TooMany as error:
                raise ConsentFailure(Reason.TOO_MANY) from error
            status, end = self._ask(attempt, application, address, deadline)
            # Also for an owner who has given consent before: the page is the same for each address.
            self._keep(attempt, {ADDRESS: address}, None, status, expires_at=end)
            # Before the session's page can fetch the result.
            self.pause(min(max(began + ANSWER_SECONDS - self.clock(), 0.0), deadline.left()))
            return replace(self._hand_out(attempt, session, STORED), is_given=False)

    def _ask(
        self, attempt: Attempt, application: Credential, address: str, deadline: Deadline
    ) -> tuple[Status | None, datetime | None]:
        """The state, and when it ends if the vendor states that; None if it names no state."""
        channel = self._clouds[attempt.config.vendor].back_channels[attempt.variant.type]
        try:
            consent = channel.ask(application, address, deadline)
        except (NotFound, Refused):
            # The vendor does not know the address, which the page must not show.
            return None, None
        return Status.ACTIVE if consent.state == ACCEPTED else Status(consent.state), consent.expires_at

    @contextmanager
    def _claimed(self, attempt: Attempt, deadline: Deadline) -> Iterator[JoinSessionRow | None]:
        """Uses the attempt up, and takes its session, which is None for a flow or a link; whatever fails becomes a
        ConsentFailure, after which the owner may try again."""
        self._use(attempt)
        with failures():
            session = self._claim(attempt, deadline)
            try:
                yield session
            except BaseException:
                if session:
                    self._sessions.release(session)
                raise

    def _claim(self, attempt: Attempt, deadline: Deadline) -> JoinSessionRow | None:
        source = attempt.source
        # Before the exchange, so that no code is spent for a link that has ended; it is used when the grant is kept.
        if source.link and self._links.find(source.link) is None:
            raise ConsentFailure(Reason.ENDED)
        if source.kind is not SourceKind.SESSION:
            return None
        session = self._sessions.by_row(source.row)
        if session is None or not self._sessions.claim(session, attempt.config.vendor, deadline.left()):
            raise ConsentFailure(Reason.ENDED)
        return session

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
        status: Status | None,
        expires_at: datetime | None = None,
    ) -> GrantRow:
        config, source = attempt.config, attempt.source
        try:
            return self._grants.add(
                source.client_id,
                config.vendor,
                config.type,
                credentials_id=config.credentials_id,
                secrets=secrets,
                granted=granted,
                name=None,
                status=status,
                replaces=source.grant.id if source.grant else None,
                link=source.link,
                expires_at=expires_at,
            )
        except LinkEnded as error:
            raise ConsentFailure(Reason.ENDED) from error

    def _kept(self, attempt: Attempt, session: JoinSessionRow | None, grant: GrantRow) -> Outcome:
        return replace(self._hand_out(attempt, session, {**STORED, "grantID": grant.id}), grant_id=grant.id)

    def _hand_out(self, attempt: Attempt, session: JoinSessionRow | None, answer: Mapping[str, str]) -> Outcome:
        if session:
            self._sessions.finish(session, attempt.config.vendor, answer)
        return Outcome(None)

    def _variant(self, source: Source, vendor: str) -> tuple[VendorConfig | None, Variant | None]:
        config = source.find(vendor)
        return config, self._applications.rules.find(vendor, config.type) if config else None


@contextmanager
def _ended_unless_kept(endpoint: ConsentEndpoint, application: Credential, granted: Granted) -> Iterator[None]:
    """Ends a grant at its vendor if it cannot be kept: nothing here could end it later."""
    try:
        yield
    except Exception:
        endpoint.discard(application, granted.token)
        raise
