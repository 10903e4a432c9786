"""Consent by e-mail: an application asks with its own token, and the owner answers hours later, or never."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from sandbox.consent.consents import Consent, Consents, State
from sandbox.consent.owners import Owner
from sandbox.replies import Refused, reply
from sandbox.sma.constants import CONSENT_SECONDS, OPEN_STATES, POLL_SECONDS


class BackChannel:
    """The endpoints. An address that no owner has can be asked as well: it never answers."""

    def __init__(
        self, consents: Consents, owners: Mapping[str, Owner], client_of_token: Callable[[], str | None]
    ) -> None:
        """owners: by address in lower case."""
        self._consents, self._owners, self._client_of_token = consents, owners, client_of_token

    def add_routes(self, blueprint: Blueprint) -> None:
        """The endpoints, below the base URL of the cloud."""
        path = "/oauth2/v2/bc-authorize"
        blueprint.post(path)(self.ask)
        blueprint.get(f"{path}/<hint>")(self.show)
        blueprint.put(f"{path}/<hint>/status")(self.decide)

    def ask(self) -> Response:
        """Answers `POST /oauth2/v2/bc-authorize`: adds a consent, pending until the owner decides."""
        client, body = self._client(), request.get_json(force=True, silent=True)
        hint = body.get("loginHint") if isinstance(body, dict) else None
        if not isinstance(hint, str) or not hint:
            return reply({"message": "loginHint is missing", "code": "BadRequest"}, 400)
        held = self._newest(client, hint)
        if held is not None and held.state(self._consents.now()) in OPEN_STATES:
            return reply({"message": "A consent exists", "code": "Conflict"}, 409)
        # An unknown address stands for an owner without a site.
        owner = self._owners.get(hint.lower(), Owner(hint, frozenset()))
        answer_by = self._consents.now() + CONSENT_SECONDS
        consent = Consent(client, owner, answer_by=answer_by, is_in_writing=True)
        return reply(self._shown(self._consents.add(consent), hint), 201)

    def show(self, hint: str) -> Response:
        """Answers `GET /oauth2/v2/bc-authorize/{loginHint}`."""
        consent = self._newest(self._client(), hint)
        return reply(self._shown(consent, hint)) if consent else _not_found("No consent")

    def decide(self, hint: str) -> Response:
        """Answers `PUT /oauth2/v2/bc-authorize/{loginHint}/status`: decides a pending consent in the owner's place."""
        consent, now = self._newest(self._client(), hint), self._consents.now()
        body = request.get_json(force=True, silent=True)
        decision = str(body.get("state") if isinstance(body, dict) else body).lower()
        if consent is None or consent.state(now) is not State.PENDING:
            return _not_found("Nothing is pending")
        if decision not in (State.ACCEPTED, State.REJECTED):
            return reply({"message": "Unknown state", "code": "BadRequest"}, 400)
        consent.decisions.append((now, State(decision)))
        return reply(self._shown(consent, hint))

    def _shown(self, consent: Consent, hint: str) -> dict[str, Any]:
        now = self._consents.now()
        expires = datetime.fromtimestamp(consent.answer_by or now, UTC).replace(microsecond=0)
        return {
            "loginHint": hint,
            "state": consent.state(now).capitalize(),
            "expirationDate": expires.isoformat(),
            "interval": POLL_SECONDS,
        }

    def _newest(self, client: str, hint: str) -> Consent | None:
        return self._consents.newest_in_writing(client, hint)

    def _client(self) -> str:
        client = self._client_of_token()
        if client is None:
            raise Refused(Response(status=401))
        return client


def _not_found(text: str) -> Response:
    return reply({"message": text, "code": "NotFound"}, 404)
