"""Bounds the requests of virtual clients: their work is done in this process and its database, not at a vendor.

Without a bound, 48 pages of 1,000 sites at once delayed the tokens of all other clients by more than 3 s (November
2026): they compete for the interpreter lock as well as for the database.
"""

from flask import Flask, g

from app.auth.clients import VIRTUAL, ApiClient
from app.web.problems import Problem
from vendors.kit.calls.bulkhead import Bulkhead

# Requests in progress per process, and of these for one client. More would not be faster: they wait for each other.
SLOTS, SLOTS_PER_CLIENT = 8, 2
# Requests that wait for a slot. With those in progress they occupy at most three quarters of a process's 64 threads.
WAITERS, WAITERS_PER_CLIENT = 40, 32
WAIT_SECONDS = 5.0
RETRY_SECONDS = 5


class VirtualSlots:
    """A slot for each request of a virtual client, from the bearer check to the response. A client's requests wait for
    that client's slots in their order."""

    def __init__(self) -> None:
        self._slots = Bulkhead(SLOTS, SLOTS_PER_CLIENT)
        self._waiters = Bulkhead(WAITERS, WAITERS_PER_CLIENT)

    def init_app(self, app: Flask) -> None:
        """Takes a slot before each request that needs one, and releases it afterwards."""
        app.before_request(self._take)
        app.teardown_request(self._release)

    def _take(self) -> None:
        client: ApiClient | None = g.get("client")
        if client is None or client.mode != VIRTUAL:
            return
        if not self._slots.acquire(client.id) and not self._wait(client.id):
            detail = "Too many requests of this client are in progress; send fewer at once, and try again shortly."
            raise Problem(503, "virtual_busy", detail, headers={"Retry-After": str(RETRY_SECONDS)})
        g.virtual_slot = client.id

    def _wait(self, client_id: str) -> bool:
        """Whether a slot becomes free in time; False at once if too many requests wait already."""
        if not self._waiters.acquire(client_id):
            return False
        try:
            return self._slots.acquire(client_id, WAIT_SECONDS)
        finally:
            self._waiters.release(client_id)

    def _release(self, error: BaseException | None) -> None:
        client_id = g.pop("virtual_slot", None)
        if client_id is not None:
            self._slots.release(client_id)
