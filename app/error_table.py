"""The table of this service's own errors: what each code means, whose fault it is, and what to do.

`type` of a problem (RFC 9457) is the address of the page that shows this. Errors of vendors describe themselves
(vendors/kit/errors.py).
"""

from dataclasses import dataclass

PAGES = "/errors/"
CALLER, SERVER = "caller", "server"
REPORT = "Report it to the operator of this server with the requestId."


@dataclass(frozen=True)
class ErrorKind:
    """One meaning of a code. `fault`: caller, server or vendor; `title`: the usual title of its problem."""

    code: str
    status: int
    title: str
    cause: str
    fault: str
    action: str


def types(public_url: str | None) -> str:
    """The text before the code in a problem's `type`: never of the request's Host, which the caller chooses."""
    return (public_url or "") + PAGES


OWN = (
    ErrorKind(
        "missing_token", 401, "Unauthorized",
        "The request has no bearer token.",
        CALLER, "Get a token with POST /oauth2/token and send it as `Authorization: Bearer <token>`.",
    ),
    ErrorKind(
        "invalid_token", 401, "Unauthorized",
        "The access token is malformed, expired, revoked or of another issuer.",
        CALLER, "Get a new token with POST /oauth2/token. A token is valid for an hour.",
    ),
    ErrorKind(
        "insufficient_scope", 403, "Forbidden",
        "The access token lacks the scope of this operation; the header WWW-Authenticate names it.",
        CALLER, "Get a token with this scope, or without `scope` for all that the client has. The operator can give a "
        "client more scopes with `flask clients set-scopes`.",
    ),
    ErrorKind(
        "vendor_access_missing", 403, "Forbidden",
        "The request has no X-Authorization-<vendor> header and the client has stored no credentials, or neither for "
        "the vendor of this site or device.",
        CALLER, "Send the vendor's credential in its X-Authorization header, or store it: POST /vendor-credentials.",
    ),
    ErrorKind(
        "sign_in_code_invalid", 403, "Forbidden",
        "The code of the demo's link is unknown, used or older than 5 minutes.",
        CALLER, "Start the demo again for a new link.",
    ),
    ErrorKind(
        "virtual_mode_required", 403, "Forbidden",
        "Only clients of mode virtual have virtual devices.",
        CALLER, "Use a client of mode virtual; the operator makes one with `flask clients create NAME --mode virtual`.",
    ),
    ErrorKind(
        "bad_request", 400, "Bad Request",
        "The request is not valid HTTP/1.1, or the header Host is missing.",
        CALLER, "Correct the request; a usual HTTP library never sends such a request.",
    ),
    ErrorKind(
        "validation_error", 400, "Invalid request",
        "A parameter or a member of the body is unknown, repeated or wrong.",
        CALLER, "Correct what the detail names.",
    ),
    ErrorKind(
        "invalid_header", 400, "Bad Request",
        "The value of an X-Authorization header cannot be a credential, or a client of mode virtual sent a header of a "
        "vendor.",
        CALLER, "Correct or leave out the header that the member `header` names.",
    ),
    ErrorKind(
        "control_unsupported", 400, "Bad Request",
        "This server does not control the batteries of this vendor; the detail says why. Nothing was sent.",
        CALLER, "Control this site with the vendor's own means.",
    ),
    ErrorKind(
        "unknown_api_version", 400, "Bad Request",
        "The header api-version is empty or names no version.",
        CALLER, "Send a version that the detail names, or leave the header out.",
    ),
    ErrorKind(
        "invalid_page_token", 400, "Bad Request",
        "The pageToken belongs to another query or client.",
        CALLER, "Begin with the first page again, and change nothing but pageToken from page to page.",
    ),
    ErrorKind(
        "gone", 410, "Gone",
        "The route has ended; its responses had announced that since half a year or longer (Deprecation, Sunset).",
        CALLER, "Use the route that the detail's page names.",
    ),
    ErrorKind(
        "unknown_host", 400, "Bad Request",
        "The service does not answer under this host name.",
        SERVER, "The operator sets PUBLIC_URL to the URL that the users see.",
    ),
    ErrorKind(
        "not_found", 404, "Not Found",
        "The path or id does not exist, or this client and its credentials do not reach it.",
        CALLER, "Check the path and the id, and send the credential with which the id was listed.",
    ),
    ErrorKind(
        "not_offered", 404, "Not Found",
        "The vendor does not offer these intervals, or no details of sites and devices.",
        CALLER, "See the tables of docs/vendors.md; another level or series may be offered.",
    ),
    ErrorKind(
        "method_not_allowed", 405, "Method Not Allowed",
        "The path does not take this method.",
        CALLER, "Use a method that the header Allow lists.",
    ),
    ErrorKind(
        "request_timeout", 408, "Request Timeout",
        "The request did not arrive whole within 10 s.",
        CALLER, "Send the whole request at once.",
    ),
    ErrorKind(
        "virtual_limit_reached", 409, "Conflict",
        "The client has as many virtual sites or devices as it may have; the member `limit` tells how many.",
        CALLER, "Delete virtual sites or devices that are no longer needed.",
    ),
    ErrorKind(
        "control_conflict", 409, "Conflict",
        "Something in the time of the plan was made or changed by others: at the vendor, as the members `events` and "
        "`orders` show, or by another client of this server. Nothing was changed.",
        CALLER, "Leave that time out of the plan, or send the plan with force=true, which takes its place.",
    ),
    ErrorKind(
        "credentials_in_use", 409, "Conflict",
        "Grants of owners were given to these credentials; the member `grants` tells how many.",
        CALLER, "Delete those grants first; GET /grants lists them with `credentialsID`.",
    ),
    ErrorKind(
        "grants_limit_reached", 409, "Conflict",
        "The client has as many grants as it may; the member `limit` tells how many.",
        CALLER, "Delete grants that are no longer needed with DELETE /grants/{id}.",
    ),
    ErrorKind(
        "consent_not_renewable", 409, "Conflict",
        "The owner of this grant gives consent in no browser: keys were typed in, or the vendor asks by e-mail.",
        CALLER, "Start a new session or flow for this owner.",
    ),
    ErrorKind(
        "credentials_limit_reached", 409, "Conflict",
        "The client has stored as many credentials as it may; the member `limit` tells how many.",
        CALLER, "Delete stored credentials that are no longer needed.",
    ),
    ErrorKind(
        "join_sessions_limit_reached", 409, "Conflict",
        "The client has as many open sessions of Join as it may have; the member `limit` tells how many.",
        CALLER, "Wait until some have ended, ten minutes after their start, and start them only when needed.",
    ),
    ErrorKind(
        "join_flows_limit_reached", 409, "Conflict",
        "The client has as many flows of Join as it may have; the member `limit` tells how many.",
        CALLER, "Delete flows that are no longer needed. Any number of owners may use the same flow.",
    ),
    ErrorKind(
        "join_pending", 409, "Conflict",
        "The owner has not given consent in this session yet, or has refused.",
        CALLER, "Ask again once the owner has closed the window; if the owner has refused, start another session.",
    ),
    ErrorKind(
        "join_token_fetched", 409, "Conflict",
        "What was granted in this session was given out before, which is done once.",
        CALLER, "If the answer was lost, start another session and ask the owner again.",
    ),
    ErrorKind(
        "control_busy", 409, "Conflict",
        "Another request is changing the battery control of this site.",
        CALLER, "Send it again after the time in Retry-After.",
    ),
    ErrorKind(
        "idempotency_key_in_use", 409, "Conflict",
        "The first request with this Idempotency-Key is still under way.",
        CALLER, "Send it again after the time in Retry-After; the answer is then that of the first request.",
    ),
    ErrorKind(
        "open_orders", 409, "Conflict",
        "Orders to batteries depend on these credentials or this grant; the member `orders` names them.",
        CALLER, "Wait for their end, or delete with force=true, which cancels them first.",
    ),
    ErrorKind(
        "content_too_large", 413, "Content Too Large",
        "The body has more than 64 KiB.",
        CALLER, "Send a smaller body.",
    ),
    ErrorKind(
        "uri_too_long", 414, "URI Too Long",
        "The request line has more than 8,190 bytes.",
        CALLER, "Send a shorter URL.",
    ),
    ErrorKind(
        "expectation_failed", 417, "Expectation Failed",
        "The header Expect is not 100-continue.",
        CALLER, "Leave the header Expect out.",
    ),
    ErrorKind(
        "idempotency_key_reused", 422, "Unprocessable Content",
        "The Idempotency-Key was used for another request within the last 24 hours.",
        CALLER, "Use a new key for each change, and an old one only to repeat the very same request.",
    ),
    ErrorKind(
        "too_many_requests", 429, "Too Many Requests",
        "This client or this address has sent more requests than the operator permits (CLIENT_LIMIT, ADDRESS_LIMIT).",
        CALLER, "Wait for the time in Retry-After, and send fewer requests a minute.",
    ),
    ErrorKind(
        "write_budget_spent", 429, "Too Many Requests",
        "The plan takes more writes than the site has left of those it may take within 24 hours. Nothing was changed.",
        CALLER, "Wait for the time in Retry-After, or change fewer intervals. `writes` of GET tells how many are left.",
    ),
    ErrorKind(
        "too_many_failed_logins", 429, "Too Many Requests",
        "From this address too many logins have failed, of this client or in all. The secret was not looked at.",
        CALLER, "Wait for the time in Retry-After, and check the client's id and secret.",
    ),
    ErrorKind(
        "request_header_fields_too_large", 431, "Request Header Fields Too Large",
        "A header has more than 16 KiB, or there are more than 100, or all together have more than 64 KiB.",
        CALLER, "Send fewer or shorter headers.",
    ),
    ErrorKind(
        "internal_server_error", 500, "Internal Server Error",
        "The service has a bug; its log has the cause under the requestId.",
        SERVER, REPORT,
    ),
    ErrorKind(
        "not_implemented", 501, "Not Implemented",
        "The body has a transfer coding other than chunked.",
        CALLER, "Send the body as it is, or chunked.",
    ),
    ErrorKind(
        "service_unavailable", 503, "Service Unavailable",
        "All threads were busy for 5 s, or all connections are in use.",
        SERVER, "Try again after the time in Retry-After.",
    ),
    ErrorKind(
        "migrations_pending", 503, "Service Unavailable",
        "The database lacks tables of this version of the service.",
        SERVER, "The operator runs `flask --app wsgi db upgrade`.",
    ),
    ErrorKind(
        "stopping", 503, "Service Unavailable",
        "The service is ending: it serves on for DRAIN_SECONDS, then stops.",
        SERVER, "Load balancers send requests to other servers; the operator starts the service again.",
    ),
    ErrorKind(
        "virtual_busy", 503, "Service Unavailable",
        "Too many requests of this client of mode virtual are in progress, and none ended in time. Nothing was "
        "changed.",
        CALLER, "Send fewer requests at once, and try again after the time in Retry-After.",
    ),
    ErrorKind(
        "credentials_not_configured", 503, "Service Unavailable",
        "The operator has not set CREDENTIAL_KEYS, so no credentials can be stored.",
        SERVER, "Send credentials in headers, or ask the operator of this server to set CREDENTIAL_KEYS.",
    ),
    ErrorKind(
        "database_unavailable", 503, "Service Unavailable",
        "The database does not answer, and this process does not know the client yet, or virtual devices or stored "
        "credentials are asked for. A change was not made, unless the connection broke during its commit.",
        SERVER, "Try again after the time in Retry-After.",
    ),
)  # fmt: skip
