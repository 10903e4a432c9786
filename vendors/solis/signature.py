"""The signature of a call to Solis."""

import base64
import hashlib
import hmac
from email.utils import formatdate

from vendors.kit import Request

CONTENT_TYPE = "application/json;charset=UTF-8"


def signed_headers(request: Request, key_id: str, secret: str) -> dict[str, str]:
    """Headers with an HMAC-SHA1 over the call's method, body digest, type, date and path."""
    digest = base64.b64encode(hashlib.md5(request.body or b"", usedforsecurity=False).digest()).decode()
    date = formatdate(usegmt=True)
    message = f"{request.method}\n{digest}\n{CONTENT_TYPE}\n{date}\n{request.path}"
    signature = base64.b64encode(hmac.digest(secret.encode(), message.encode(), "sha1")).decode()
    return {
        "Content-MD5": digest,
        "Content-Type": CONTENT_TYPE,
        "Date": date,
        "Authorization": f"API {key_id}:{signature}",
    }
