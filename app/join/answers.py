"""What `fetch-token` gives out, by its public names."""

import base64
from collections.abc import Mapping

from vendors.kit.consent.code_grant import Granted

# If the server keeps what was granted: two holders of a rotating refresh token would lose it.
STORED = {"accessToken": "stored", "refreshToken": "", "expiresIn": "0"}
# Keys that are typed in have no end, for which the answer has no form.
KEYS_SECONDS = 365 * 86_400
# The part of a credential that names the only site that it opens.
SITE_ID = "site_id"


def tokens_of(granted: Granted) -> dict[str, str]:
    """The tokens of a grant that is not kept."""
    token = granted.token
    answer = {"accessToken": token.access, "refreshToken": token.refresh or "", "expiresIn": str(int(token.seconds))}
    return answer | ({"siteID": granted.parts[SITE_ID]} if SITE_ID in granted.parts else {})


def keys_as_answer(keys: Mapping[str, str]) -> dict[str, str]:
    """Keys that are not kept, as the vendor's header takes them: one as it is, two as for HTTP Basic."""
    values = list(keys.values())
    text = values[0] if len(values) == 1 else base64.b64encode(":".join(values).encode()).decode()
    return {"accessToken": text, "refreshToken": "", "expiresIn": str(KEYS_SECONDS)}
