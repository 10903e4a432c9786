"""Owners who give consent at the sandbox's pages, and the grants that the service keeps of them."""

from urllib.parse import parse_qsl, urlsplit

import requests

from app.credentials.grants import ADDRESS
from app.credentials.opening import credential_of
from app.credentials.status import Status
from vendors.kit.credentials import StoredRow
from vendors.kit.deadline import Deadline

BACK = "http://127.0.0.1:8000/join/back"
SECONDS = 60.0
VERIFIER = "a-verifier-of-at-least-forty-three-characters"
# Vendors of which an owner gives consent in a browser, with the type of the application.
TYPES = {"tesla": "app", "enphase": "developerapp", "sma": "oauthclient", "solaredge": "oauthclient"}


class Owners:
    """The owners of one vendor, and a client of the service to which they give consent."""

    def __init__(self, service, played, vendor="tesla"):
        self.service, self.played, self.vendor, self.type = service, played, vendor, TYPES[vendor]
        self.services = service.app.extensions["services"]
        self.cloud = self.services.clouds[vendor]
        known = played.get("/")["vendors"][vendor]["consent"]
        members = self.services.credentials.rules.find(vendor, self.type).members
        self.application = {name: known[name] for name in members}

    @property
    def client_id(self):
        """The client's id."""
        return self.services.tokens.read(self.service.token).client_id

    def store_application(self):
        """Stores the application's credentials; their id."""
        return self.service.store({"vendor": self.vendor, "type": self.type, **self.application}, "application")

    def granted(self, owner):
        """What an owner grants at the vendor's page, after the exchange of the code."""
        return granted(self.cloud, self.type, self.application, owner)

    def grant(self, owner, credentials_id=None, replaces=None, client_id=None):
        """The grant of an owner, as the service keeps it."""
        return self.services.grants.add(
            client_id or self.client_id,
            self.vendor,
            self.type,
            credentials_id=credentials_id,
            secrets={} if credentials_id else self.application,
            granted=self.granted(owner),
            name=None,
            status=Status.ACTIVE,
            replaces=replaces,
        )

    def end(self, owner):
        """The owner withdraws all consents at the vendor."""
        self.played.put(f"/consents/{self.vendor}", {"owner": f"owner-{owner}@example.com", "state": "revoked"})


def granted(cloud, type_, application, owner):
    """What an owner grants to an application, given by the members of its stored credentials."""
    consent = cloud.consents[type_]
    variant = next(variant for variant in cloud.vendor.variants if variant.type == type_)
    client = credential_of(variant, application, StoredRow("", "", ""))
    url = consent.authorize_url(client["client_id"], BACK, "state", VERIFIER)
    email = f"owner-{owner}@example.com" if isinstance(owner, int) else owner
    form = {"owner": email, "decision": "allow"}
    answer = requests.post(url, data=form, allow_redirects=False, timeout=SECONDS)
    assert answer.status_code == 302, answer.text
    callback = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    return consent.exchange(client, callback["code"], BACK, VERIFIER, callback, Deadline(SECONDS))


def ask_by_mail(service, played, owner, vendor="sma"):
    """A consent by e-mail that has been asked for."""
    services = service.app.extensions["services"]
    members = next(form for form in played.get("/")["vendors"][vendor]["credentials"] if form["type"] == "customgrant")
    id = service.store({"vendor": vendor, **members})
    address = f"owner-{owner}@example.com"
    _, application = services.credentials.stored.find(id)
    services.clouds[vendor].back_channels["customgrant"].ask(application, address, Deadline(SECONDS))
    return services.grants.add(
        application.row.client, vendor, "customgrant", credentials_id=id, secrets={ADDRESS: address}, granted=None,
        name=None, status=Status.PENDING,
    )  # fmt: skip
