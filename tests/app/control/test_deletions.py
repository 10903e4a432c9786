"""Orders that are open when the credentials, the grant or the client that they depend on is deleted."""

import json

import pytest
from sqlalchemy import select

from app.credentials.rows import owner_of
from app.storage.control_tables import ControlOrderRow
from app.storage.credential_tables import VendorCredentialRow
from app.storage.grant_table import GrantRow
from tests.app.control import fake
from tests.app.control.conftest import Controller
from vendors.kit.control import EventState
from vendors.kit.errors import VendorDown
from vendors.kit.variants import Variant

CREDENTIALS = {"vendor": fake.NAME, "type": "key", "apiKey": "good"}


@pytest.fixture
def cloud(cloud, monkeypatch):
    monkeypatch.setattr(fake.InMemory, "variants", (Variant("key", {"apiKey": "token"}),))
    return cloud


class Owner(Controller):
    """A client that has stored the credential of the site's vendor."""

    def __init__(self, app, clock):
        super().__init__(app, clock)
        answer = self.call("POST", "/vendor-credentials", json={"credentials": CREDENTIALS})
        assert answer.status_code == 201, answer.text
        self.id_of_credentials = answer.json["id"]

    def order(self, *times):
        """A plan without a header: the stored credential opens the site."""
        answer = self.call("PUT", self.path, json={"intervals": [self.interval(*times, kw=2.0)]})
        assert answer.status_code == 200, answer.text

    def forget(self, query=""):
        return self.call("DELETE", f"/vendor-credentials/{self.id_of_credentials}{query}")


@pytest.fixture
def owner(app, clock):
    return Owner(app, clock)


@pytest.fixture
def orders(app):
    def read():
        with app.extensions["services"].database.session() as session:
            return [(order.state, order.text) for order in session.scalars(select(ControlOrderRow))]

    return read


def test_credentials_with_an_open_order_are_not_deleted_and_the_answer_names_the_order(owner, cloud):
    owner.order(10, 70)
    answer = owner.forget()
    assert (answer.status_code, answer.json["code"]) == (409, "open_orders")
    [order] = answer.json["orders"]
    assert (order["siteID"], order["status"]) == (owner.path.split("/")[2], "accepted")
    assert cloud.shown()[0].state is EventState.SCHEDULED
    assert owner.forget().status_code == 409


def test_a_forced_deletion_cancels_the_orders_first(owner, cloud, orders):
    owner.order(10, 70)
    assert owner.forget("?force=true").status_code == 204
    assert cloud.shown()[0].state is EventState.REMOVED
    assert [state for state, _ in orders()] == ["cancelled"]


def test_credentials_whose_orders_are_final_are_deleted(owner, clock):
    owner.order(15, 75)
    clock.forward(minutes=90)
    owner.call("GET", owner.path)
    assert owner.forget().status_code == 204


def test_another_clients_orders_and_orders_of_a_header_are_in_no_ones_way(owner, controller):
    controller.put(controller.interval(10, 70, kw=2.0))
    assert owner.forget().status_code == 204


def test_while_the_vendor_is_down_a_forced_deletion_changes_nothing(owner, cloud, orders):
    owner.order(10, 70)
    cloud.down = VendorDown
    answer = owner.forget("?force=true")
    assert (answer.status_code, answer.json["code"]) == (409, "open_orders")
    assert answer.json["orders"][0]["why"]
    assert [state for state, _ in orders()] == ["accepted"]
    cloud.down = None
    assert owner.forget("?force=true").status_code == 204


def test_credentials_that_the_vendor_refuses_for_good_can_be_deleted_and_the_order_stays_unproven(owner, app, orders):
    owner.order(10, 70)
    body = {"credentials": {"apiKey": "refused"}}
    assert owner.call("PATCH", f"/vendor-credentials/{owner.id_of_credentials}", json=body).status_code == 200
    assert owner.forget().status_code == 409
    assert owner.forget("?force=true").status_code == 204
    [(state, text)] = orders()
    assert state == "unproven"
    assert "deleted" in text


def test_the_event_of_an_order_that_was_given_up_is_in_the_way_until_a_forced_plan_ends_it(owner, cloud):
    owner.order(10, 70)
    body = {"credentials": {"apiKey": "refused"}}
    owner.call("PATCH", f"/vendor-credentials/{owner.id_of_credentials}", json=body)
    assert owner.forget("?force=true").status_code == 204
    assert owner.call("POST", "/vendor-credentials", json={"credentials": CREDENTIALS}).status_code == 201
    plan = {"intervals": [owner.interval(30, 90, kw=1.0)]}
    answer = owner.call("PUT", owner.path, json=plan)
    assert (answer.status_code, [event["id"] for event in answer.json["events"]]) == (409, ["event-1"])
    assert owner.call("PUT", f"{owner.path}?force=true", json=plan).status_code == 200
    assert [event.state for event in cloud.shown()] == [EventState.REMOVED, EventState.SCHEDULED]


def test_an_order_that_has_ended_and_is_not_proven_yet_is_lost_only_if_that_is_forced(owner, clock, orders):
    owner.order(10, 70)
    clock.forward(minutes=71)
    assert owner.forget().status_code == 409
    assert owner.forget("?force=true").status_code == 204
    assert [state for state, _ in orders()] == ["unproven"]


def test_a_plan_whose_credentials_are_deleted_while_it_is_checked_is_not_stored(owner, cloud, orders, monkeypatch):
    events = fake.InMemory.control_events

    def delete_meanwhile(self, *arguments):
        assert owner.forget().status_code == 204
        return events(self, *arguments)

    monkeypatch.setattr(fake.InMemory, "control_events", delete_meanwhile)
    answer = owner.call("PUT", owner.path, json={"intervals": [owner.interval(10, 70, kw=2.0)]})
    assert (answer.status_code, answer.json["code"]) == (403, "vendor_access_missing")
    assert orders() == []
    assert cloud.writes == []


@pytest.fixture
def granted(app, owner):
    """The id of a grant that opens the site, in place of stored credentials."""
    services = app.extensions["services"]
    row = services.credentials.store.find(owner.id, owner.id_of_credentials)
    secrets = services.credentials.store.secrets(row)
    id = "grnt-" + owner.id_of_credentials.removeprefix("cred-")

    with services.database.session() as session:
        grant = VendorCredentialRow(
            id=id, client_id=owner.id, vendor=row.vendor, type=row.type, name="an owner", created_at=row.created_at,
            is_grant=True, key_id="", ciphertext="",
        )  # fmt: skip
        sealed = services.credentials.store._cipher.seal(owner_of(grant), secrets)
        grant.key_id, grant.ciphertext = sealed.key_id, sealed.ciphertext
        session.add(grant)
        session.flush()
        session.add(GrantRow(id=id, client_id=owner.id, status="active"))
    assert owner.forget().status_code == 204
    return id


def test_a_grant_with_an_open_order_is_not_ended_unless_it_is_forced(owner, granted, cloud, orders):
    owner.order(10, 70)
    answer = owner.call("DELETE", f"/grants/{granted}")
    assert (answer.status_code, answer.json["code"]) == (409, "open_orders")
    assert owner.call("GET", f"/grants/{granted}").status_code == 200
    assert owner.call("DELETE", f"/grants/{granted}?force=true").status_code == 200
    assert cloud.shown()[0].state is EventState.REMOVED
    assert [state for state, _ in orders()] == ["cancelled"]


def revoke(app, client):
    result = app.test_cli_runner().invoke(args=["clients", "revoke", client.id])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_revoking_a_client_cancels_its_orders_and_says_which(owner, app, cloud):
    owner.order(10, 70)
    printed = revoke(app, owner)
    assert len(printed["orders"]["cancelled"]) == 1
    assert printed["orders"]["not_cancelled"] == []
    assert printed["deleted"]["control_orders"] == 1
    assert cloud.shown()[0].state is EventState.REMOVED


def test_revoking_a_client_says_which_orders_could_not_be_cancelled_and_why(owner, controller, app, cloud):
    owner.order(10, 70)
    cloud.down = VendorDown
    [left] = revoke(app, owner)["orders"]["not_cancelled"]
    assert (left["siteID"], left["status"]) == (owner.path.split("/")[2], "accepted")
    assert left["why"]


def test_orders_whose_credential_came_in_a_header_cannot_be_cancelled_for_a_revoked_client(controller, app, cloud):
    controller.put(controller.interval(10, 70, kw=2.0))
    [left] = revoke(app, controller)["orders"]["not_cancelled"]
    assert "header" in left["why"]
    assert cloud.shown()[0].state is EventState.SCHEDULED
