"""The header X-Vendor-Calls: how many calls to each vendor the request has cost."""

from flask import Flask, Response

from app.fleet import vendor_calls

DESCRIPTION = (
    "Calls that this request has cost at each vendor that it addresses, as a dictionary of RFC 9651, such as "
    "`one=0, another=2;retries=1;renewals=1`. Retries and renewals of access tokens come on top of the number. "
    "A reply that was kept, or that came of another request's equal call, costs nothing. `incomplete`: calls were "
    "still under way, and may have been followed by others."
)
DOCUMENTED = {vendor_calls.HEADER: {"description": DESCRIPTION, "schema": {"type": "string"}}}


def init_app(app: Flask) -> None:
    """Adds the header to the responses of requests that address vendors, errors included."""
    app.after_request(_add)
    app.teardown_request(_end)


def _add(response: Response) -> Response:
    if calls := vendor_calls.current():
        response.headers[vendor_calls.HEADER] = str(calls)
    return response


def _end(error: BaseException | None) -> None:
    # The thread is reused, also by requests that address no vendor.
    vendor_calls.end()
