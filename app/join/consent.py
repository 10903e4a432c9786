"""Consent of an owner, from the first page to the grant: in a browser, by keys that are typed in, or by e-mail."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.credentials.cipher import Cipher, Unreadable
from app.credentials.grants import ADDRESS, GrantStore
from app.credentials.rules import Rules
from app.credentials.status import Status
from app.credentials.stored import StoredCredentials
from app.fleet import credential_check
from app.fleet.credential_check import Verdict
from app.join.attempts import Attempts, Begun, TooMany
from app.join.config import VendorConfig, opened
from app.join.failures import ConsentFailure, Reason
from app.join.flows import Flows
from app.join.sessions import Sessions
from app.join.source import Source, of_flow, of_session
from app.storage.join_tables import JoinAttemptRow, JoinSessionRow
from app.web.problems import Problem
from vendors.kit import Credential, Forbidden, NotFound, Unauthorized, VendorError
from vendors.kit.calls.cloud import Cloud
from vendors.kit.consent.code_grant import Granted
from vendors.kit.deadline import Deadline
from vendors.kit.errors import Refused
from vendors.kit.variants import CLIENT_ID, CodeGrant, Variant

# Keys that are typed in have no end, for which the answer has no form.
KEYS_SECONDS = 365 * 86_400
STORED = "stored"
# The state of a consent by e-mail that the owner has given.
ACCEPTED = "accepted"

logger = structlog.stdlib.get_logger(__name__)


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
    """An attempt that its browser has come back with. row: None for keys that a client's own page sends."""

    row: JoinAttemptRow | None
    source: Source
    config: VendorConfig
    variant: Variant

    @property
    def company_state(self) -> str | None:
        """The state that is handed back to the company."""
        return self.row.company_state if self.row else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A consent that was given, or of which the owner is asked by e-mail. grant_id: None if the client gets the tokens.
    """

    grant_id: str | None
    is_given: bool = True


class Consents:
    """Begins and completes attempts."""

    def __init__(
        self,
        sessions: Sessions,
        flows: Flows,
        attempts: Attempts,
        grants: GrantStore,
        rules: Rules,
        cipher: Cipher,
        stored: StoredCredentials,
        clouds: Mapping[str, Cloud],
        conceal: Callable[..., None],
    ) -> None:
        self._sessions, self._flows, self._attempts, self._grants = sessions, flows, attempts, grants
        self._rules, self._cipher, self._stored, self._clouds = rules, cipher, stored, clouds
        self._conceal = conceal

    def begin(self, source: Source, vendor: str, company_state: str | None, redirect_uri: str) -> Question:
        """A new attempt at a vendor of the source. Raises ConsentFailure, or KeyError for another vendor."""
        config = source.find(vendor)
        variant = self._rules.find(vendor, config.type) if config else None
        if config is None or variant is None:
            raise KeyError(vendor)
        application = None
        if isinstance(variant.consent, CodeGrant):
            application = self._application(source, config, variant)
        try:
            begun = self._attempts.begin(source, vendor, company_state)
        except TooMany as error:
            raise ConsentFailure(Reason.TOO_MANY) from error
        if application is None:
            return Question(begun, source, variant, vendor)
        endpoint = self._clouds[vendor].consents[variant.type]
        url = endpoint.authorize_url(application[CLIENT_ID], redirect_uri, begun.state, begun.verifier)
        return Question(begun, source, variant, vendor, url)

    def look(self, vendor: str, state: str, browser: str) -> Attempt:
        """The attempt with this state, which is not used up by this. Raises ConsentFailure."""
        row = self._attempts.look(vendor, state, browser)
        source = self._source(row) if row else None
        config = source.find(vendor) if source else None
        variant = self._rules.find(vendor, config.type) if config else None
        if row is None or source is None or config is None or variant is None:
            raise ConsentFailure(Reason.ENDED)
        return Attempt(row, source, config, variant)

    def of_page(self, row: JoinSessionRow, vendor: str) -> Attempt | None:
        """An attempt with keys that a client's own page sends; None if the session is over or has no such vendor."""
        source = of_session(row)
        config = source.find(vendor)
        variant = self._rules.find(vendor, config.type) if config else None
        return Attempt(None, source, config, variant) if config and variant and row.vendor is None else None

    def decline(self, attempt: Attempt) -> None:
        """Ends an attempt at whose vendor the owner has refused. Raises ConsentFailure if it has ended."""
        self._use(attempt)

    def by_code(
        self, attempt: Attempt, code: str, callback: Mapping[str, str], redirect_uri: str, deadline: Deadline
    ) -> Outcome:
        """Completes an attempt with the vendor's code, and the parameters of the callback. Raises ConsentFailure."""
        vendor, row = attempt.config.vendor, attempt.row
        if row is None or not isinstance(attempt.variant.consent, CodeGrant):
            raise ConsentFailure(Reason.ENDED)
        with self._claimed(attempt):
            application = self._application(attempt.source, attempt.config, attempt.variant)
            endpoint = self._clouds[vendor].consents[attempt.variant.type]
            verifier = self._attempts.verifier(row)
            granted = endpoint.exchange(application, code, redirect_uri, verifier, callback, deadline)
            self._conceal(granted.token.access, granted.token.refresh or "")
            secrets = {} if attempt.config.credentials_id else self._inline(attempt.source, vendor)
            if attempt.source.stores:
                return self._keep(attempt, secrets, granted, Status.ACTIVE)
            return self._hand_out(attempt, _tokens(granted))

    def by_keys(self, attempt: Attempt, keys: Mapping[str, str], deadline: Deadline) -> Outcome:
        """Completes an attempt with keys, which the vendor is asked about. Raises ConsentFailure."""
        credential = Credential.stored(attempt.variant, keys)
        self._conceal(*keys.values())
        with self._claimed(attempt):
            result = credential_check.check(self._clouds, attempt.config.vendor, credential, deadline)
            if result.verdict is Verdict.REFUSED:
                raise ConsentFailure(Reason.KEYS_REFUSED)
            if result.verdict is not Verdict.WORKS:
                raise ConsentFailure(Reason.VENDOR_DOWN)
            if attempt.source.stores:
                return self._keep(attempt, keys, None, Status.ACTIVE)
            answer = {"accessToken": _header_text(keys), "refreshToken": "", "expiresIn": str(KEYS_SECONDS)}
            return self._hand_out(attempt, answer)

    def by_mail(self, attempt: Attempt, address: str, deadline: Deadline) -> Outcome:
        """Lets the vendor write to an address. For an address that the vendor does not know the outcome is the same.

        Raises ConsentFailure.
        """
        if attempt.row is None:
            raise ConsentFailure(Reason.ENDED)
        self._conceal(address)
        with self._claimed(attempt):
            application = self._application(attempt.source, attempt.config, attempt.variant)
            try:
                self._attempts.count_mail(attempt.source, attempt.row)
            except TooMany as error:
                raise ConsentFailure(Reason.TOO_MANY) from error
            status = self._ask(attempt, application, address, deadline)
            # Also for an owner who has given consent before: the page is the same for each address.
            return replace(self._keep(attempt, {ADDRESS: address}, None, status), is_given=False)

    def _ask(self, attempt: Attempt, application: Credential, address: str, deadline: Deadline) -> Status:
        channel = self._clouds[attempt.config.vendor].back_channels[attempt.variant.type]
        try:
            state = channel.ask(application, address, deadline).state
        except (NotFound, Refused):
            # The vendor does not know the address, which the page must not show.
            return Status.PENDING
        return Status.ACTIVE if state == ACCEPTED else Status(state)

    @contextmanager
    def _claimed(self, attempt: Attempt) -> Iterator[None]:
        """Uses the attempt up; whatever fails becomes a ConsentFailure, after which the owner may try again."""
        self._use(attempt)
        session = self._session(attempt.source)
        if session and not self._sessions.claim(session, attempt.config.vendor):
            raise ConsentFailure(Reason.ENDED)
        try:
            with _failures():
                yield
        except BaseException:
            if session:
                self._sessions.release(session)
            raise

    def _use(self, attempt: Attempt) -> None:
        if attempt.row is not None and not self._attempts.use(attempt.row):
            raise ConsentFailure(Reason.ENDED)

    def _keep(self, attempt: Attempt, secrets: Mapping[str, str], granted: Granted | None, status: Status) -> Outcome:
        config, source = attempt.config, attempt.source
        grant = self._grants.add(
            source.client_id,
            config.vendor,
            config.type,
            credentials_id=config.credentials_id,
            secrets=secrets,
            granted=granted,
            name=None,
            status=status,
            replaces=source.replaces,
        )
        if session := self._session(source):
            answer = {"accessToken": STORED, "refreshToken": "", "expiresIn": "0", "grantID": grant.id}
            self._sessions.finish(session, config.vendor, answer)
        return Outcome(grant.id)

    def _hand_out(self, attempt: Attempt, answer: Mapping[str, str]) -> Outcome:
        if session := self._session(attempt.source):
            self._sessions.finish(session, attempt.config.vendor, answer)
        return Outcome(None)

    def _application(self, source: Source, config: VendorConfig, variant: Variant) -> Credential:
        """The application that the owner is asked to agree to. Raises ConsentFailure."""
        try:
            if config.credentials_id is None:
                credential = Credential.stored(variant, self._inline(source, config.vendor))
            else:
                stored = self._stored.find(config.credentials_id, source.client_id)
                if stored is None:
                    raise ConsentFailure(Reason.NOT_SET_UP)
                credential = stored[1]
        except (Unreadable, KeyError) as error:
            raise ConsentFailure(Reason.NOT_SET_UP) from error
        self._conceal(*credential.secrets)
        return credential

    def _inline(self, source: Source, vendor: str) -> dict[str, str]:
        return opened(self._cipher, source.client_id, source.row, source.sealed, vendor)

    def _session(self, source: Source) -> JoinSessionRow | None:
        return self._sessions.by_row(source.row) if source.kind == "session" else None

    def _source(self, row: JoinAttemptRow) -> Source | None:
        if row.session_id:
            session = self._sessions.by_row(row.session_id)
            return of_session(session) if session else None
        flow = self._flows.of_any_client(row.flow_id or "")
        return of_flow(flow) if flow else None


@contextmanager
def _failures() -> Iterator[None]:
    """Turns what a vendor or the database refuses into a ConsentFailure."""
    try:
        yield
    except (Unauthorized, Forbidden, NotFound, Refused) as error:
        logger.warning("consent refused by the vendor", code=error.code, why=error.why)
        raise ConsentFailure(Reason.CODE_REFUSED) from error
    except Unreadable as error:
        raise ConsentFailure(Reason.NOT_SET_UP) from error
    except VendorError as error:
        logger.warning("vendor failed during a consent", code=error.code, why=error.why)
        raise ConsentFailure(Reason.VENDOR_DOWN) from error
    except (Problem, SQLAlchemyError) as error:
        logger.error("consent not kept", why=getattr(error, "code", type(error).__name__))
        raise ConsentFailure(Reason.NOT_KEPT) from error


def _tokens(granted: Granted) -> dict[str, str]:
    token = granted.token
    answer = {"accessToken": token.access, "refreshToken": token.refresh or "", "expiresIn": str(int(token.seconds))}
    return answer | ({"siteID": granted.parts["site_id"]} if "site_id" in granted.parts else {})


def _header_text(keys: Mapping[str, str]) -> str:
    """Keys as the vendor's header takes them: one as it is, two as for HTTP Basic."""
    values = list(keys.values())
    return values[0] if len(values) == 1 else base64.b64encode(":".join(values).encode()).decode()
