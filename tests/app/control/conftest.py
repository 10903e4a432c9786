"""A site of a vendor in memory, and a client that controls its batteries."""

from datetime import timedelta

import pytest

import app as application
from app.auth.scopes import Scope
from tests.app.control import fake
from tests.app.virtual.support import Caller
from vendors.kit import Site
from vendors.kit.deadline import Deadline

HEADER = {f"X-Authorization-{fake.NAME}": "Bearer good"}


@pytest.fixture
def clock():
    return fake.Clock()


@pytest.fixture
def cloud(clock, monkeypatch):
    """The vendor's side."""
    cloud = fake.Cloud(clock)
    discovered = application.clouds
    monkeypatch.setattr(
        application, "clouds", lambda *args, **options: discovered(*args, **options) | {fake.NAME: fake.opened(cloud)}
    )
    return cloud


@pytest.fixture
def app(cloud, settings, start_service, clock):
    app = start_service(settings)
    services = app.extensions["services"]
    services.control.now = clock
    services.inventory.add(fake.NAME, [Site.listed(fake.SITE, lambda raw: {"name": ""}, None)], Deadline(20))
    return app


class Controller(Caller):
    """A client that controls the site."""

    def __init__(self, app, clock, *scopes):
        self.clock = clock
        services = app.extensions["services"]
        auth = services.clients.create("controller", "production", "v2024-09-01", scopes or tuple(Scope))
        super().__init__(app, "production", auth=auth)
        self.path = f"/sites/{services.inventory.id_of(fake.NAME, Site, (fake.SITE,))}/battery-control"

    def interval(self, start=0, end=60, command="discharge", **members):
        """An interval from and to so many minutes from now."""
        at = {"start": start, "end": end}
        times = {name: (self.clock.now + timedelta(minutes=minutes)).isoformat() for name, minutes in at.items()}
        return {"command": command, **times, **members}

    def put(self, *intervals, query="", headers=None):
        return self.call("PUT", self.path + query, HEADER | (headers or {}), json={"intervals": list(intervals)})

    def statuses(self):
        """The statuses of the present list."""
        return [interval["status"] for interval in self.read().json["intervals"]]

    def states(self):
        return [status.partition(":")[0] for status in self.statuses()]

    def read(self):
        answer = self.get(self.path, HEADER)
        assert answer.status_code == 200, answer.text
        return answer

    def history(self, query=""):
        answer = self.get(f"{self.path}/history{query}", HEADER)
        assert answer.status_code == 200, answer.text
        return answer.json["orders"]


@pytest.fixture
def controller(app, clock):
    return Controller(app, clock)
