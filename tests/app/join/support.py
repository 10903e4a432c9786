"""A company with its sessions and flows, and browsers of owners, in front of the played vendors."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import requests

from tests.app.virtual.support import Caller

OWNER = "owner-1@example.com"
BACK = "https://www.example.org/connected?page=solar"
ORIGIN = "https://shop.example.org"


class Company(Caller):
    """A client of the API that asks owners for consent."""

    def __init__(self, service, played):
        super().__init__(service.app, "production")
        self.played, self.accounts = played, played.get("/")["vendors"]
        self.services = self.app.extensions["services"]

    def vendor(self, name):
        """The entry of a vendor, with the application's id and secret inline where it needs them."""
        if name == "solis" or name == "solaredge":
            return {"vendor": name}
        return {"vendor": name, "credentials": self.application(name)}

    def application(self, name):
        """The members of the application that a vendor knows."""
        known = self.accounts[name]["consent"]
        return {member: known[member] for member in ("clientID", "clientSecret", "apiKey") if member in known}

    def stored(self, vendor, type):
        """The entry of a vendor that refers to stored credentials of that type."""
        forms = {form["type"]: form for form in self.accounts[vendor]["credentials"]}
        members = forms.get(type) or self.application(vendor)
        members = {name: value for name, value in members.items() if name != "type"}
        body = {"credentials": {"vendor": vendor, "type": type, **members}}
        answer = self.call("POST", "/vendor-credentials", json=body)
        assert answer.status_code == 201, answer.text
        return {"vendor": vendor, "credentials": {"credentialsID": answer.json["id"]}}

    def start(self, *vendors, stores=True):
        """A new session."""
        entries = [self.vendor(vendor) if isinstance(vendor, str) else vendor for vendor in vendors]
        answer = self.call("POST", "/join/session/start", json={"storeCredentials": stores, "vendors": entries})
        assert answer.status_code == 200, answer.text
        return Session(self, **answer.json)

    def flow(self, *vendors, redirect_uri=BACK):
        """A new flow; its members."""
        entries = [self.vendor(vendor) if isinstance(vendor, str) else vendor for vendor in vendors]
        answer = self.call("POST", "/join/flows", json={"vendors": entries, "redirectURI": redirect_uri})
        assert answer.status_code == 201, answer.text
        return answer.json

    def register(self, origin=ORIGIN):
        self.services.join.origins.add(self.id, origin)

    def grants(self):
        answer = self.call("GET", "/grants")
        assert answer.status_code == 200, answer.text
        return answer.json["grants"]

    def keys(self, vendor):
        form = next(form for form in self.accounts[vendor]["credentials"] if not form["type"].startswith("oauth"))
        return {name: value for name, value in form.items() if name != "type"}


class Session:
    """A session as the company's own page uses it."""

    def __init__(self, company, sessionID, sessionToken):
        self.company, self.id, self.token = company, sessionID, sessionToken

    def get(self, path, token=None, **headers):
        bearer = {"Authorization": f"Bearer {token or self.token}"}
        return self.company.app.test_client().get(f"/join/session/{self.id}/{path}", headers=bearer | headers)

    def endpoint(self, vendor):
        return next(each["oAuthEndpoint"] for each in self.get("vendors").json if each["id"] == vendor)

    def fetch(self):
        return self.get("fetch-token")


class Browser:
    """An owner's browser, with cookies for this service."""

    def __init__(self, company):
        self.http = company.app.test_client()

    def open(self, url, **options):
        return self.http.get(url, **options)

    def at_vendor(self, url, decision="allow", owner=OWNER):
        """The callback to which the vendor's page sends the browser."""
        form = {"owner": owner, "decision": decision}
        answer = requests.post(url, form, allow_redirects=False, timeout=60)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def callback(self, url, **options):
        """Opens the link of an attempt, decides at the vendor, and returns the callback, which is not opened yet."""
        answer = self.open(url)
        assert answer.status_code == 302, answer.text
        return self.at_vendor(answer.headers["Location"], **options)

    def consent(self, url, **options):
        """The response to the callback."""
        return self.open(self.callback(url, **options))

    def answer(self, page, **fields):
        """Sends the form of a page."""
        action = unescape(re.search(r'action="([^"]*)"', page.text)[1])
        state = re.search(r'name="state" value="([^"]*)"', page.text)[1]
        return self.http.post("/" + action.replace("../", ""), data={"state": state, **fields})


def query(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def heading(page):
    return unescape(re.search(r"<h1>(.*?)</h1>", page.text)[1])
