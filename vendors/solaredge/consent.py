"""Consent of an owner at SolarEdge Connect, of one site each."""

from vendors.kit import CodeGrant

# The part with the only site of a grant.
SITE_ID = "site_id"
OWNERS = CodeGrant(
    {"solaredge": "https://connect.solaredge.com/authorize"},
    {"solaredge": "https://monitoringapi.solaredge.com/v2/oauth2/token"},
    {"solaredge": "https://monitoringapi.solaredge.com/v2/oauth2/revoke-token"},
    scope="SITE_DATA DEVICE_DATA",
    # Months; the longest that an owner can grant.
    parameters={"access_duration": "24"},
    encoding="json",
    has_redirect_uri=False,
    callback_members={"site_id": SITE_ID},
    refresh_days=30,
)
