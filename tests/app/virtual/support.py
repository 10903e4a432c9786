"""A caller of the service, and paths of its virtual devices."""

import re

from app.auth.scopes import Scope

KINDS = {"sites": "site", "solar-inverters": "solr", "batteries": "batt"}
DEVICES = ("solar-inverters", "batteries")
# Members of a page of /virtual/..., by path.
PAGES = {
    "sites": "virtualSites",
    "solar-inverters": "virtualSolarInverters",
    "batteries": "virtualBatteries",
}
SERIES = {
    "sites": ("solar-intervals", "battery-intervals"),
    "solar-inverters": ("intervals",),
    "batteries": ("intervals",),
}
ID = re.compile(r"(site|solr|batt)-[0-9a-z]{16}")


class Caller:
    """A client of the API with its token; `auth` is the id and secret of an existing one."""

    def __init__(self, app, mode, version="v2024-09-01", auth=None):
        self.app = app
        self.auth = auth or app.extensions["services"].clients.create("test", mode, version, Scope)
        self.id = self.auth[0]
        self.http = app.test_client()
        answer = self.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=self.auth)
        self.headers = {"Authorization": f"Bearer {answer.json['access_token']}"}

    def call(self, method, path, headers=None, **options):
        return self.http.open(path, method=method, headers=self.headers | (headers or {}), **options)

    def get(self, path, headers=None):
        return self.call("GET", path, headers)

    def post(self, path, body=None, headers=None):
        return self.call("POST", f"/virtual/{path}", headers, json={} if body is None else body)

    def create(self, path, **body):
        """The members of a new site or device."""
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        return answer.json

    def delete(self, path):
        return self.call("DELETE", f"/virtual/{path}").status_code

    def ids(self, path):
        """The ids of all items of a list."""
        answer = self.get(f"/{path}?pageSize=1000", {"api-version": "v2024-09-01"})
        assert answer.status_code == 200, answer.text
        assert answer.json["errors"] == {}
        member = "solarInverters" if path == "solar-inverters" else path
        return [item["id"] for item in answer.json[member]]

    def virtual_ids(self, path):
        answer = self.get(f"/virtual/{path}?pageSize=1000")
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json[PAGES[path]]]
