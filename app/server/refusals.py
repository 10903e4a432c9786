"""Problem documents for requests that are refused before any route sees them."""

import json
from dataclasses import dataclass

from gunicorn.http import errors as gunicorn

from app.config import BODY_LIMIT
from app.server import limits

# The document is the same as that of app.web.problems, which would load Flask here.
MEDIA_TYPE = "application/problem+json"
# Not http.HTTPStatus: its phrases differ between versions of Python, and the codes are derived from them.
TITLES = {
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}
DETAILS = {
    400: "The request is not valid HTTP/1.1, or the header Host is missing.",
    408: "The request did not arrive whole within {0.RECEIVE_SECONDS:g} seconds.",
    413: f"The body may have at most {BODY_LIMIT} bytes.",
    414: "The request line may have at most {0.REQUEST_LINE_BYTES} bytes.",
    417: "The header Expect may only be 100-continue.",
    431: "A header may have {0.HEADER_BYTES} bytes, all together {0.HEADERS_BYTES}, and there may be 100 of them.",
    500: "The service failed; its log has the cause.",
    501: "Of the transfer codings only chunked is understood.",
    503: "All threads of this service are busy; try again shortly.",
}
NO_CONNECTION_LEFT = "All connections of this service are in use; try again shortly."
# Errors of gunicorn's parser; any other is a 400.
STATUSES: dict[type[Exception], int] = {
    gunicorn.LimitRequestLine: 414,
    gunicorn.ExpectationFailed: 417,
    gunicorn.LimitRequestHeaders: 431,
    gunicorn.UnsupportedTransferCoding: 501,
}


def status_of(error: Exception) -> int:
    """Returns the HTTP status for an error of gunicorn's parser in the head of a request."""
    return STATUSES.get(type(error), 400)


@dataclass(frozen=True)
class Refusal:
    """A problem by its HTTP status, with a detail if the usual sentence does not apply."""

    status: int
    detail: str = ""

    @property
    def title(self) -> str:
        return TITLES[self.status]

    @property
    def code(self) -> str:
        return self.title.lower().replace(" ", "_")

    def document(self, request_id: str, types: str) -> dict[str, object]:
        """Returns the problem as its JSON members; `types` stands before the code in `type`."""
        return {
            "type": types + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail or DETAILS[self.status].format(limits),
            "code": self.code,
            "requestId": request_id,
        }

    def response(self, request_id: str, types: str) -> bytes:
        """Returns the whole HTTP response, after which the connection closes."""
        body = json.dumps(self.document(request_id, types))
        retry = "Retry-After: 5\r\n" if self.status == 503 else ""
        return (
            f"HTTP/1.1 {self.status} {self.title}\r\nContent-Type: {MEDIA_TYPE}\r\nConnection: close\r\n"
            f"Cache-Control: private, no-store\r\nX-Content-Type-Options: nosniff\r\nX-Request-ID: {request_id}\r\n"
            f"{retry}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
