"""GET /.well-known/...: the public keys that vendors read on this server's domain. They need no token.

The paths are those that the plugins declare. They are no part of the API, so /openapi.json does not list them.
"""

from flask import Blueprint, Response, abort, request

from app.api.services import services
from app.web.problems import Problem

PEM = "application/x-pem-file"

blueprint = Blueprint("VendorKeys", __name__)


@blueprint.get("/.well-known/<path:name>")
def show(name: str) -> Response:
    """Sends the key of the vendor that has declared this path."""
    for vendor, cloud in services().clouds.items():
        if cloud.registrar and cloud.registrar.registration.key_path == request.path:
            return _key_of(vendor)
    abort(404)


def _key_of(vendor: str) -> Response:
    public_key = services().credentials.vendor_keys.public_key(vendor)
    if public_key is None:
        raise Problem(404, "not_found", f"There is no key yet; the operator makes one with `vendors setup {vendor}`.")
    return Response(public_key, mimetype=PEM)
