"""Access tokens of SMA's applications, and the consent of owners: in a browser, or by e-mail."""

from vendors.kit import BackChannel, ClientCredentials, CodeGrant

HOSTS = {"sma": "https://auth.smaapis.de", "smasbox": "https://sandbox-auth.smaapis.de"}
TOKEN_URLS = {name: f"{host}/oauth2/token" for name, host in HOSTS.items()}
TOKENS = ClientCredentials(TOKEN_URLS)
OWNERS = CodeGrant(
    {name: f"{host}/oauth2/auth" for name, host in HOSTS.items()},
    TOKEN_URLS,
    # The logout ends the session to which the refresh token belongs.
    {name: f"{host}/oauth2/logout" for name, host in HOSTS.items()},
    scope="offline_access",
    account="sub",
    revoke_member="refresh_token",
)
BY_MAIL = BackChannel(
    {"sma": "https://async-auth.smaapis.de", "smasbox": "https://sandbox.smaapis.de"},
    "/oauth2/v2/bc-authorize",
    poll_seconds=1800,
)
