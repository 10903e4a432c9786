"""The facts of the first page, `/`: what this is, how this server is, the first requests, and where to look next."""

from collections.abc import Sequence
from typing import Any

from app import version
from app.web.pages.vendor_headers import VendorHeaders

PURPOSE = "One API over the clouds of solar and battery vendors."
CREDENTIALS = '-d grant_type=client_credentials -u "$CLIENT_ID:$CLIENT_SECRET"'
AUTHORIZATION = '-H "Authorization: Bearer $TOKEN"'


def facts(base: str, state: dict[str, str], vendors: Sequence[VendorHeaders]) -> dict[str, Any]:
    """The facts, with URLs that begin with `base`."""
    return {
        "name": "derapi-server",
        "purpose": PURPOSE,
        "version": version.VERSION,
        **{part: value for part, value in state.items() if part != "version"},
        "vendors": [vendor.vendor for vendor in vendors],
        "firstRequests": first_requests(base, vendors),
        "links": {
            "fleet": f"{base}/fleet",
            "reference": f"{base}/apidocs/",
            "openapi": f"{base}/openapi.json",
            "health": f"{base}/health",
        },
    }


def first_requests(base: str, vendors: Sequence[VendorHeaders]) -> list[dict[str, str]]:
    """Three commands: a token, a list, and energy by the hour."""
    # Of a vendor whose credential is a single header, if there is one.
    headers = min((vendor.names for vendor in vendors if vendor.asked), key=len, default=())
    header = "".join(f' \\\n  -H "{name}: $VENDOR_CREDENTIAL"' for name in headers)
    return [
        {
            "purpose": "Get a token: access_token in the response, valid for an hour",
            "command": f"curl {base}/oauth2/token \\\n  {CREDENTIALS}",
        },
        {
            "purpose": "List the sites of all vendors whose credentials you send",
            "command": f"curl {base}/sites \\\n  {AUTHORIZATION}{header}",
        },
        {
            "purpose": "Read what a site produced, hour by hour",
            "command": f'curl "{base}/sites/$SITE_ID/solar-intervals?summaryLevel=hour" \\\n  {AUTHORIZATION}{header}',
        },
    ]
