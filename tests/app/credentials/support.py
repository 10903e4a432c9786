"""Variants of stored credentials as the public API documents them, and a caller that stores some."""

from sqlalchemy.engine import make_url

from tests.app.virtual.support import Caller as PlainCaller

PATH = "/vendor-credentials"
APP = ("clientID", "clientSecret", "apiKey")
CLIENT = ("clientID", "clientSecret")
VARIANTS = {
    ("enphase", "developerapp"): APP,
    ("enphase", "partnerapp"): APP,
    ("enphasevpp", "vpp"): APP,
    ("franklinwh", "partner"): CLIENT,
    ("sma", "customgrant"): CLIENT,
    ("sma", "oauthclient"): CLIENT,
    ("smasbox", "customgrant"): CLIENT,
    ("smasbox", "oauthclient"): CLIENT,
    ("solaredge", "apikey"): ("apiKey",),
    ("solis", "apikeysecret"): ("keyID", "keySecret"),
    ("tesla", "app"): CLIENT,
    # An extension of this service.
    ("solaredge", "oauthclient"): CLIENT,
}


def credentials(vendor="sma", type="customgrant", secret="sesame"):
    """Credentials of a variant; each secret begins with the given text."""
    members = {member: f"{secret}-{member}-of-{vendor}" for member in VARIANTS[vendor, type]}
    return {"vendor": vendor, "type": type, **members}


class Caller(PlainCaller):
    """A client of the API that stores credentials."""

    def list(self, query=""):
        answer = self.get(f"{PATH}{query}")
        assert answer.status_code == 200, answer.text
        return answer.json["vendorCredentials"]

    def store(self, *variant, query="", **members):
        """The answer to stored credentials; members: those of the body next to the credentials."""
        body = {"credentials": credentials(*variant), **members}
        answer = self.call("POST", PATH + query, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json

    def read(self, id, query=""):
        answer = self.get(f"{PATH}/{id}{query}")
        assert answer.status_code == 200, answer.text
        return answer.json

    def secrets(self, id):
        """The credentials with their secrets."""
        return self.read(id, "?includeSecrets=true")["credentials"]

    def patch(self, id, body, query="", kind="application/json"):
        return self.call("PATCH", f"{PATH}/{id}{query}", json=body, content_type=kind)

    def delete(self, id, query=""):
        return self.call("DELETE", f"{PATH}/{id}{query}").status_code


def services(app):
    return app.extensions["services"]


def libpq_url(settings):
    """The URL of the Postgres database for Postgres's own programs."""
    return make_url(settings.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
