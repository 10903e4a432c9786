"""Registration of an application in a region, which comes before all calls there."""

from collections import defaultdict
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Response, request

from sandbox.tesla.envelope import failure, success

REGISTRATION = "/api/1/partner_accounts"
# The real one fetches the key from this path of the domain; here no call leaves the machine.
KEY_PATH = "/.well-known/appspecific/com.tesla.3p.public-key.pem"


class Partner:
    """The domains under which the application is registered, by region."""

    def __init__(self, is_partner: Callable[[], bool], region: Callable[[], str]) -> None:
        """is_partner: whether the request carries the application's own token. region: whose instance is asked."""
        self._is_partner, self._region = is_partner, region
        self._domains: defaultdict[str, set[str]] = defaultdict(set)

    @property
    def is_registered(self) -> bool:
        """Whether the application is registered in the region that is asked."""
        return bool(self._domains[self._region()])

    def register(self) -> Response:
        """Answers `POST /api/1/partner_accounts`."""
        if not self._is_partner():
            return failure(401)
        body = request.get_json(force=True, silent=True)
        domain = body.get("domain") if isinstance(body, dict) else None
        if not isinstance(domain, str) or not _is_domain(domain):
            return failure(400, "domain")
        self._domains[self._region()].add(domain)
        return success({"domain": domain, "public_key_url": f"https://{domain}{KEY_PATH}"})

    def show(self) -> Response:
        """Answers `GET /api/1/partner_accounts/public_key`, by which an application sees whether it is registered."""
        if not self._is_partner():
            return failure(401)
        domain = request.args.get("domain", "")
        if domain not in self._domains[self._region()]:
            return failure(404)
        return success({"public_key": ""})


def _is_domain(text: str) -> bool:
    return urlsplit(f"//{text}").netloc == text and "@" not in text and bool(text)
