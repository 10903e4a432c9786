"""FranklinWH partner API.

Credential: `X-Authorization-franklinwh: Basic base64(<client id>:<client secret>)`, a pair that the vendor gives to its
partners.
Calls: none. The bodies of the replies are not published, so no call is made; credentials can be stored.
Source: https://api.franklinwh.com, read November 2026.
"""

from vendors.kit import CredentialHeaders, Stage, Variant, Vendor, basic


class FranklinWh(Vendor):
    stage = Stage.DECLARED
    # The address of the portal: the address of the API is given to partners.
    hosts = {"franklinwh": {"main": "https://api.franklinwh.com"}}
    no_control = (
        "FranklinWH takes modes and a reserve, but no power and no end: what was set would have to be taken "
        "back afterwards."
    )
    credential_headers = CredentialHeaders(basic)
    variants = (Variant("partner", {"clientID": "id", "clientSecret": "secret"}),)
