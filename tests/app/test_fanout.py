"""What a request takes from a sweep that has not ended."""

import pytest

from app.fanout import _outcome
from tests.vendors.support import cloud_of, open_vendor
from vendors.kit import BackendError, Sweep, Unauthorized


@pytest.mark.parametrize(
    ("failures", "code"),
    [([], "timeout"), ([BackendError("url")], "timeout"), ([Unauthorized("url")], "unauthorized")],
    ids=["nothing", "one-site", "credential"],
)
def test_a_sweep_that_has_not_ended_is_a_timeout_unless_a_refusal_has_ended_it(failures, code):
    cloud = cloud_of("sma")
    sweep = Sweep(open_vendor("sma", cloud=cloud))
    sweep.progress.failures.extend(failures)
    assert _outcome(cloud, sweep).failure.code == code


def test_a_vendor_without_a_free_place_is_busy_with_a_hint():
    outcome = _outcome(cloud_of("sma"), None)
    assert (outcome.failure.code, outcome.failure.retry_after) == ("busy", 5.0)
