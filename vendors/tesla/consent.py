"""Consent of an owner at Tesla, and the registration of an application in a region."""

from vendors.kit import ClientCredentials, CodeGrant, Registration

TOKEN_URLS = {"tesla": "https://fleet-auth.prd.vn.cloud.tesla.com/oauth2/v3/token"}
OWNERS = CodeGrant(
    {"tesla": "https://auth.tesla.com/oauth2/v3/authorize"},
    TOKEN_URLS,
    scope="openid offline_access energy_device_data",
    parameters={"locale": "en-US"},
    audience=True,
    account="sub",
    # The documentation speaks of three months.
    refresh_days=90,
    # The refresh token that was used last is valid for 24 hours more.
    is_refresh_reusable=True,
    has_refresh_secret=False,
)

PARTNER = Registration(
    "app",
    # That these scopes suffice for a registration is an assumption.
    ClientCredentials(TOKEN_URLS, scope="openid energy_device_data energy_cmds"),
    "/api/1/partner_accounts",
    # China has other hosts and applications.
    ("na", "eu"),
    "/.well-known/appspecific/com.tesla.3p.public-key.pem",
)
