"""A sandbox of eight sites whose clocks the test moves."""

from datetime import UTC, datetime

import pytest

from sandbox import create_app
from tests.sandbox.callers import Caller, Clocks


@pytest.fixture
def clocks() -> Clocks:
    return Clocks(datetime(2026, 6, 21, 12, tzinfo=UTC).timestamp())


@pytest.fixture
def caller(clocks: Clocks) -> Caller:
    app = create_app(8, 1, real_time=clocks.real_time, ticks=clocks.monotonic)
    return Caller(app.test_client(), clocks)
