"""Limits on callers (promise 27): 429 at once beyond them, by client and by address, whatever headers are forged."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from flask import Flask

from app.auth import rate_limit
from app.auth.caller_limits import network_of
from app.auth.failed_logins import FailedLogins
from app.auth.rate_limit import RateLimit
from app.config import Settings
from app.storage import redis_ledger
from app.storage.redis_ledger import SharedLedger
from tests.app.support import nobodys_port

GRANT = {"grant_type": "client_credentials"}
START = 1_800_000_000  # the beginning of a minute
Start = Callable[..., Flask]


def create(app: Flask) -> tuple[str, str]:
    pair: tuple[str, str] = app.extensions["services"].clients.create("test", "production", "v1")
    return pair


def bearer(app: Flask, client_id: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {app.extensions['services'].tokens.issue(client_id, ['read'])[0]}"}


def ask(app: Flask, address: str, path: str = "/virtual/sites", **headers: str) -> Any:
    return app.test_client().get(path, headers=headers, environ_base={"REMOTE_ADDR": address})


def log_in(app: Flask, auth: tuple[str, str], address: str, forwarded: str | None = None) -> Any:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    http = app.test_client()
    return http.post("/oauth2/token", data=GRANT, auth=auth, headers=headers, environ_base={"REMOTE_ADDR": address})


def test_a_client_beyond_its_limit_gets_a_429_with_the_seconds_to_wait_and_others_go_on(
    settings: Settings, start_service: Start
) -> None:
    app = start_service(replace(settings, client_limit=(3, 60)))
    (busy, _), (other, _) = create(app), create(app)
    with time_machine.travel(START + 17.5, tick=False) as clock:
        assert [ask(app, "192.0.2.1", **bearer(app, busy)).status_code for _ in range(4)] == [403, 403, 403, 429]
        # From another address too: it is the client's limit.
        refused = ask(app, "192.0.2.2", **bearer(app, busy))
        assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
        assert (refused.get_json()["code"], refused.headers["Retry-After"]) == ("too_many_requests", "43")
        assert refused.get_json()["detail"] == "This client may send 3 requests in 60 s; go on in 43 s."
        assert ask(app, "192.0.2.1", **bearer(app, other)).status_code == 403
        clock.move_to(START + 59.9)
        assert ask(app, "192.0.2.1", **bearer(app, busy)).headers["Retry-After"] == "1"
        clock.move_to(START + 60)
        assert ask(app, "192.0.2.1", **bearer(app, busy)).status_code == 403


def test_an_address_beyond_its_limit_is_refused_before_its_token_is_read_but_health_answers(
    settings: Settings, start_service: Start
) -> None:
    app = start_service(replace(settings, address_limit=(3, 60), metrics_token="m" * 32))
    with time_machine.travel(START, tick=False):
        assert [ask(app, "192.0.2.1").status_code for _ in range(4)] == [401, 401, 401, 429]
        assert ask(app, "192.0.2.1", "/metrics").status_code == 429, "without the token a path that does not exist"
        assert ask(app, "192.0.2.1", "/nowhere").status_code == 429
        assert log_in(app, create(app), "192.0.2.1").get_json()["code"] == "too_many_requests"
        assert ask(app, "192.0.2.2").status_code == 401
        token = {"Authorization": f"Bearer {'m' * 32}"}
        for path, headers in (("/health", {}), ("/ready", {}), ("/metrics", token)):
            for _ in range(5):
                assert ask(app, "192.0.2.1", path, **headers).status_code == 200
        assert ask(app, "192.0.2.9").status_code == 401


@pytest.mark.parametrize("slashes", ["//", "///"])
def test_leading_slashes_evade_no_limit_and_exempt_what_is_exempt(
    settings: Settings, start_service: Start, slashes: str
) -> None:
    app = start_service(replace(settings, address_limit=(2, 60), metrics_token="m" * 32))

    def status(path: str) -> int:
        """Of a path as it is: the client itself would read its beginning as a host."""
        environ = {"PATH_INFO": slashes + path, "REMOTE_ADDR": "192.0.2.1"}
        return app.test_client().get("/", environ_overrides=environ).status_code

    with time_machine.travel(START, tick=False):
        assert [status(path) for path in ("sites", "metrics", "sites", "metrics")] == [401, 404, 429, 429]
        assert {status(path) for path in ("health", "ready")} == {200}


def test_a_method_that_an_exempt_path_does_not_have_is_counted(settings: Settings, start_service: Start) -> None:
    app = start_service(replace(settings, address_limit=(2, 60)))
    with time_machine.travel(START, tick=False):
        assert [app.test_client().post("/health").status_code for _ in range(3)] == [405, 405, 429]


def test_a_limit_that_is_off_counts_nothing(settings: Settings, start_service: Start) -> None:
    app = start_service(replace(settings, address_limit=None, client_limit=None))
    token = bearer(app, create(app)[0])
    assert {ask(app, "192.0.2.1", **token).status_code for _ in range(50)} == {403}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("proxies", [1, 0, 2])
def test_forged_forwarding_headers_do_not_evade_the_limits_and_the_right_caller_beside_them_logs_in(
    settings: Settings, start_service: Start, proxies: int
) -> None:
    """60 wrong secrets, each with other forged hops to the left of those that the trusted proxies have added."""
    app = start_service(replace(settings, trusted_proxies=proxies))
    right = create(app)
    with time_machine.travel(START, tick=False):
        statuses = []
        for number in range(60):
            hops = [f"198.51.100.{number}", "203.0.113.66", "10.0.0.1"][: 1 + proxies]
            peer = "10.0.0.2" if proxies else "203.0.113.66"
            statuses.append(log_in(app, (right[0], "wrong"), peer, ", ".join(hops)).status_code)
            beside = ["198.51.100.200", "192.0.2.7", "10.0.0.1"][: 1 + proxies]
            peer = "10.0.0.2" if proxies else "192.0.2.7"
            assert log_in(app, right, peer, ", ".join(beside)).status_code == 200
        assert statuses == [401] * 10 + [429] * 50


def test_beyond_the_limit_the_right_secret_is_not_looked_at_until_the_window_ends(
    settings: Settings, start_service: Start
) -> None:
    app = start_service(settings)
    right, other = create(app), create(app)
    with time_machine.travel(START + 20, tick=False) as clock:
        for _ in range(10):
            assert log_in(app, (right[0], "wrong"), "192.0.2.1").status_code == 401
        refused = log_in(app, right, "192.0.2.1")
        body = refused.get_json()
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "40")
        assert (body["code"], body["error"]) == ("too_many_failed_logins", "temporarily_unavailable")
        assert body["error_description"] == body["detail"]
        assert "no-store" in refused.headers["Cache-Control"]
        assert log_in(app, other, "192.0.2.1").status_code == 200, "another client at the same address"
        assert log_in(app, right, "192.0.2.2").status_code == 200, "the same client at another address"
        clock.move_to(START + 60)
        assert log_in(app, right, "192.0.2.1").status_code == 200


@pytest.mark.parametrize(
    ("addresses", "others"),
    [(["192.0.2.1"], "192.0.2.2"), ([f"2001:db8:0:1::{n:x}" for n in range(1, 20)], "2001:db8:0:2::1")],
)
def test_an_address_that_tries_the_secrets_of_many_clients_is_refused_for_all(
    settings: Settings, start_service: Start, addresses: list[str], others: str
) -> None:
    app = start_service(settings)
    with time_machine.travel(START, tick=False):
        for number in range(50):
            guess = (f"{number:032x}", "wrong")
            assert log_in(app, guess, addresses[number % len(addresses)]).status_code == 401
        assert log_in(app, create(app), addresses[0]).status_code == 429
        assert log_in(app, create(app), others).status_code == 200


def test_one_address_with_made_up_ids_cannot_flush_the_failed_logins_of_others(
    settings: Settings, start_service: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "KEYS", 60)
    app = start_service(settings)
    right = create(app)
    with time_machine.travel(START, tick=False):
        for _ in range(10):
            log_in(app, (right[0], "wrong"), "192.0.2.1")
        statuses = [log_in(app, (f"{number:032x}", "wrong"), "192.0.2.66").status_code for number in range(70)]
        assert statuses == [401] * 50 + [429] * 20
        assert log_in(app, right, "192.0.2.1").status_code == 429


def test_a_failed_login_beyond_the_limit_of_its_address_takes_no_place_of_another_pair(app: Flask) -> None:
    """Logins at the same moment have all been let through before the first of them has failed."""
    pairs, addresses = (RateLimit("x", (calls, 60), None, lambda: float(START)) for calls in (10, 50))
    failed_logins = FailedLogins(pairs, addresses)
    with app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.1"}):
        for number in range(70):
            failed_logins.count(f"{number:032x}")
        assert len(pairs._windows) == 50


def test_looking_a_count_up_takes_no_place_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "KEYS", 2)
    limit = RateLimit("x", (1, 60), None, lambda: float(START))
    limit.count("a")
    assert [limit.exceeded(key) for key in ("b", "c", "d", "a")] == [0, 0, 0, 60]


def test_other_mistakes_of_a_caller_that_has_the_secret_are_no_failed_logins(
    settings: Settings, start_service: Start
) -> None:
    app = start_service(replace(settings, failed_login_limit=(1, 60)))
    right = create(app)
    for form in ({"grant_type": "password"}, {**GRANT, "scope": "all"}, {}):
        for _ in range(3):
            assert app.test_client().post("/oauth2/token", data=form, auth=right).status_code == 400
    assert log_in(app, right, "127.0.0.1").status_code == 200


@pytest.mark.parametrize(("address", "key"), [
    ("203.0.113.9", "203.0.113.9"),
    ("::ffff:203.0.113.9", "203.0.113.9"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::/64"),
    ("203.0.113.9:50123", "203.0.113.9"),
    ("[2001:db8:1:2::5]", "2001:db8:1:2::/64"),
    ("[2001:db8:1:2::5]:50123", "2001:db8:1:2::/64"),
    ("[::ffff:203.0.113.9]:50123", "203.0.113.9"),
    ("[fe80::1%eth0]:50123", "fe80::/64"),
])  # fmt: skip
def test_an_address_counts_as_itself_and_one_of_ipv6_as_its_network_with_and_without_a_port(
    address: str, key: str
) -> None:
    assert network_of(address) == key


@pytest.mark.parametrize("text", ["", ":", "[", "[]:80", "unknown", "x" * 500, "203.0.113.256", "1:2:3:4:5:6:7:8:5012"])
def test_all_texts_that_are_no_address_count_together(text: str) -> None:
    assert network_of(text) == network_of("_hidden")


@pytest.mark.parametrize("entry", ["203.0.113.9:{}", "[2001:db8::{:x}]", '"[2001:db8::1]:{}"', "unknown-{}"])
def test_an_entry_with_a_port_that_changes_with_each_connection_does_not_evade_the_limit(
    settings: Settings, start_service: Start, entry: str
) -> None:
    app = start_service(replace(settings, trusted_proxies=1, address_limit=(3, 60)))
    with time_machine.travel(START, tick=False):
        entries = [{"X-Forwarded-For": entry.format(50_000 + number)} for number in range(5)]
        statuses = [ask(app, "10.0.0.2", **forwarded).status_code for forwarded in entries]
    assert statuses == [401, 401, 401, 429, 429]


def test_processes_with_one_redis_count_together_within_a_hundredth_of_the_limit(redis_url: str) -> None:
    ledgers = [SharedLedger(redis_url), SharedLedger(redis_url)]
    one, other = (RateLimit("x", (1000, 60), ledger, lambda: float(START)) for ledger in ledgers)
    counted = 0
    while one.count("a") == 0 or other.count("a") == 0:
        counted += 1
        assert counted < 2000
    assert 1000 - 20 <= sum(limit._windows["a"].here for limit in (one, other)) <= 1000 + 20
    assert one.exceeded("a") == 60
    assert one.count("b") == 0
    for ledger in ledgers:
        ledger.close()


def test_small_limits_are_shared_at_once(redis_url: str) -> None:
    ledgers = [SharedLedger(redis_url), SharedLedger(redis_url)]
    one, other = (RateLimit("x", (10, 60), ledger, lambda: float(START)) for ledger in ledgers)
    assert [one.count("a") for _ in range(10)] == [0] * 10
    assert other.count("a") == 60
    assert other.exceeded("a") == 60
    for ledger in ledgers:
        ledger.close()


def test_while_redis_is_down_a_process_goes_on_with_its_own_counts_and_asks_it_once_in_a_while() -> None:
    ledger = SharedLedger(f"redis://127.0.0.1:{nobodys_port()}/0")
    limit = RateLimit("x", (300, 60), ledger, lambda: float(START))
    begin = time.monotonic()
    assert [limit.count("a") for _ in range(300)] == [0] * 300
    assert limit.count("a") == 60
    assert time.monotonic() - begin < redis_ledger.ALONE_SECONDS, "one attempt, not a hundred"
    ledger.close()
