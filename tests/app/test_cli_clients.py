"""The commands that change a client: its scopes and its secret."""

import json
from typing import Any

import pytest
import time_machine
from flask import Flask

from app.auth.clients import MAX_FORMER_SECRETS
from tests.app.support import run

pytestmark = pytest.mark.databases
NOW = 1_800_000_000
HOUR = 3600


def printed(app: Flask, *words: str) -> dict[str, Any]:
    result = run(app, *words)
    assert result.exit_code == 0, result.output
    members: dict[str, Any] = json.loads(result.stdout)
    return members


def status(app: Flask, client_id: str, secret: str) -> int:
    """The status of a request for a token."""
    form = {"grant_type": "client_credentials"}
    return app.test_client().post("/oauth2/token", data=form, auth=(client_id, secret)).status_code


def test_scopes_are_given_at_creation_shown_in_the_list_and_replaced(app: Flask) -> None:
    assert printed(app, "clients", "create", "a")["scopes"] == "read credentials"
    client = printed(app, "clients", "create", "b", "--scopes", "control read")
    assert client["scopes"] == "read control"
    changed = printed(app, "clients", "set-scopes", client["client_id"], "credentials", "read")
    assert changed == {"client_id": client["client_id"], "scopes": "read credentials"}
    assert [row["scopes"] for row in printed(app, "clients", "list")["clients"]] == ["read credentials"] * 2


def test_scopes_that_do_not_exist_none_at_all_and_unknown_clients_are_refused(app: Flask) -> None:
    client_id = printed(app, "clients", "create", "a")["client_id"]
    for words in (("create", "x", "--scopes", "all"), ("create", "x", "--scopes", ""), ("set-scopes", client_id)):
        assert run(app, "clients", *words).exit_code == 2
    assert run(app, "clients", "set-scopes", client_id, "all").exit_code == 2
    for command in (("set-scopes", "0" * 32, "read"), ("rotate-secret", "0" * 32)):
        refused = run(app, "clients", *command)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "There is no client" in refused.stderr


def test_while_the_overlap_lasts_both_secrets_are_right_and_afterwards_the_new_one_alone(app: Flask) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client = printed(app, "clients", "create", "a")
        client_id, old = client["client_id"], client["client_secret"]
        rotated = printed(app, "clients", "rotate-secret", client_id, "--overlap", "2")
        assert rotated["former_secret_valid_until"] == "2027-01-15T10:00:00+00:00"
        new = rotated["client_secret"]
        assert new != old
        for hours, statuses in ((0, (200, 200)), (1.99, (200, 200)), (2, (401, 200)), (99, (401, 200))):
            clock.move_to(NOW + hours * HOUR)
            assert (status(app, client_id, old), status(app, client_id, new)) == statuses, hours
        assert old not in str(run(app, "clients", "list").output)


def test_without_overlap_every_former_secret_ends_at_once(app: Flask) -> None:
    client = printed(app, "clients", "create", "a")
    client_id, first = client["client_id"], client["client_secret"]
    second = printed(app, "clients", "rotate-secret", client_id)["client_secret"]
    assert (status(app, client_id, first), status(app, client_id, second)) == (200, 200)
    third = printed(app, "clients", "rotate-secret", client_id, "--overlap", "0")["client_secret"]
    assert [status(app, client_id, secret) for secret in (first, second, third)] == [401, 401, 200]


def test_a_second_rotation_within_the_overlap_ends_no_secret_that_is_in_use(app: Flask) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client = printed(app, "clients", "create", "a")
        client_id, secrets = client["client_id"], [client["client_secret"]]
        for _ in range(MAX_FORMER_SECRETS):
            secrets.append(printed(app, "clients", "rotate-secret", client_id)["client_secret"])
        assert {status(app, client_id, secret) for secret in secrets} == {200}
        refused = run(app, "clients", "rotate-secret", client_id)
        assert refused.exit_code == 1
        assert "--overlap 0" in refused.stderr
        assert {status(app, client_id, secret) for secret in secrets} == {200}
        clock.move_to(NOW + 24 * HOUR)
        assert printed(app, "clients", "rotate-secret", client_id)["client_secret"]
        assert [status(app, client_id, secret) for secret in secrets[-2:]] == [401, 200]


def test_a_revoked_client_gets_no_further_secret_and_no_scopes(app: Flask) -> None:
    client_id = printed(app, "clients", "create", "a")["client_id"]
    printed(app, "clients", "revoke", client_id)
    assert run(app, "clients", "rotate-secret", client_id).exit_code == 1
    assert run(app, "clients", "set-scopes", client_id, "read").exit_code == 1
