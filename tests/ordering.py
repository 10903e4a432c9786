"""A process that is the service for one client, on a test's command, with the clock of a sandbox. At a named step it
stops, so that the test can kill it there."""

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import create_app
from app.config import Settings
from app.control.orders import OrderStore
from app.control.writing import Writer
from tests.processes import SECONDS
from vendors.kit import Client


@dataclass(frozen=True)
class Call:
    """A request at a time. stop_at: the number of the step at which the process stops; 0 for none. Steps are the
    changes of orders, before and after each is committed, and the calls that write to the vendor, before and after
    each."""

    method: str
    path: str
    now: datetime
    body: dict[str, Any] | None = None
    stop_at: int = 0


@dataclass(frozen=True)
class Answer:
    """The answer to a call."""

    status: int
    members: dict[str, Any]


STOPPED = "stopped"


class Steps:
    """Counts the steps of a call, and stops at one."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self.left = 0

    def step(self) -> None:
        if self.left:
            self.left -= 1
            if not self.left:
                self._pipe.send(STOPPED)
                threading.Event().wait(SECONDS)

    def around(self, owner: type, name: str) -> None:
        """Makes the call of a method two steps."""
        original = getattr(owner, name)

        def stepping(*arguments: Any, **options: Any) -> Any:
            self.step()
            result = original(*arguments, **options)
            self.step()
            return result

        setattr(owner, name, stepping)


class Present:
    """The clock of the service, which is that of the sandbox."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


def serve(pipe: Any, settings: Settings, auth: tuple[str, str], headers: dict[str, str], now: datetime) -> None:
    """Answers calls until it is killed."""
    present, steps = Present(), Steps(pipe)
    present.now = now
    Client.now = property(lambda client: present.now)  # type: ignore[method-assign,assignment]
    steps.around(OrderStore, "change")
    steps.around(Writer, "_call")
    app = create_app(settings, present.seconds)
    app.extensions["services"].control.now = present
    http = app.test_client()
    answer = http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth)
    sent = headers | {"Authorization": f"Bearer {answer.json['access_token']}", "api-version": "v2024-09-01"}  # type: ignore[index]
    pipe.send(Answer(answer.status_code, {}))
    while True:
        call: Call = pipe.recv()
        present.now, steps.left = call.now, call.stop_at
        answer = http.open(call.path, method=call.method, headers=sent, json=call.body)
        pipe.send(Answer(answer.status_code, answer.json or {}))
