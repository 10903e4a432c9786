"""Meaning of the refusals of an authorization server (RFC 6749, section 5.2)."""

from vendors.kit.errors import Unauthorized, VendorError
from vendors.kit.reply import Reply

# Statuses with which a client, code or refresh token is refused.
REFUSING = frozenset({400, 401, 403})
# Errors of a 400 that concern the form of the call, and so not the stored id and secret.
MISTAKES_OF_THE_CALL = frozenset({"invalid_request", "unsupported_grant_type", "invalid_scope"})
# Errors that concern the application.
CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client"})
# Errors that concern the code or the refresh token: `login_required` and `invalid_auth_code` are Tesla's, and
# `invalid_token` comes for an expired refresh token from servers that are made with Spring.
GRANT_ERRORS = frozenset({"invalid_grant", "login_required", "invalid_auth_code", "invalid_token"})


class ClientRefused(Unauthorized):
    """The token endpoint does not accept the stored id and secret."""

    says = "The vendor does not accept the stored client id or secret."
    advice = stored_advice = "Correct the stored credentials: get id and secret from the vendor and update them."
    note = "the stored client id or secret is refused; correct the stored credentials"


class CodeRefused(Unauthorized):
    """The token endpoint does not accept the code of a consent: it has expired, was used, or is another client's."""

    code = "consent_failed"
    says = "The vendor does not accept the code with which the owner came back."
    advice = "Start the consent again; a code is valid once, and for some minutes."
    note = "the code of the consent is refused"


class ConsentLost(Unauthorized):
    """A grant no longer opens the vendor: its refresh token was refused, has expired, or is missing."""

    code = "needs_consent"
    says = "The owner's consent has ended."
    advice = stored_advice = (
        "Ask the owner of the devices to give consent again, with a link of POST /grants/{id}/consent-link. If another "
        "account gives it, that is a new grant, and this one stays as it is."
    )
    note = "the owner has to give consent again"


def client_refusal(reply: Reply) -> VendorError | None:
    """Meaning of a reply to a client that authenticates with id and secret alone."""
    is_mistake = reply.status == 400 and reply.json_object.get("error") in MISTAKES_OF_THE_CALL
    return ClientRefused(reply.url) if reply.status in REFUSING and not is_mistake else None


def code_refusal(reply: Reply) -> VendorError | None:
    """Meaning of a reply to the exchange of a code."""
    return _grant_refusal(reply, CodeRefused)


def refresh_refusal(reply: Reply) -> VendorError | None:
    """Meaning of a reply to a refresh. Without a known error a refusal is none of the grant's: a proxy may have sent
    it, and the owner must not be asked again for nothing."""
    return _grant_refusal(reply, ConsentLost)


def _grant_refusal(reply: Reply, kind: type[VendorError]) -> VendorError | None:
    error = reply.json_object.get("error") if reply.status in REFUSING else None
    if error in GRANT_ERRORS:
        return kind(reply.url)
    return ClientRefused(reply.url) if error in CLIENT_ERRORS else None
