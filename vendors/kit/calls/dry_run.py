"""A dry run: the calls that a sweep would make, found by running the plugin over cached replies, without a call."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from vendors.kit.calls.cloud import Cloud
from vendors.kit.calls.hooks import Hooks
from vendors.kit.calls.pipeline import MAX_AGE_SECONDS, Call, Calls, NotCached, ignore
from vendors.kit.calls.reply_cache import Freshness, Mode
from vendors.kit.calls.sweep import Sweep
from vendors.kit.credentials import Credential
from vendors.kit.deadline import Deadline
from vendors.kit.errors import VendorError, worst
from vendors.kit.messages import Request
from vendors.kit.records import Keyed
from vendors.kit.reply import Reply
from vendors.kit.vendor import Vendor

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Estimate:
    """The calls that a sweep would make. Without `is_exact` at least these, since further calls depend on replies that
    are not cached. failure: why the sweep would be incomplete, as far as that is known without a call."""

    calls: int
    is_exact: bool
    failure: VendorError | None


class DryCalls(Calls):
    """Counts the calls that `Calls` would make in the same mode.

    A cached reply of any age stands for the reply that a call would get. Retries, and renewals of access tokens, cannot
    be foreseen.
    """

    makes_none = True

    def __init__(self, cloud: Cloud, hooks: Hooks, deadline: Deadline, mode: Mode) -> None:
        super().__init__(cloud, hooks, deadline, mode)
        self.count = 0
        self._counted: set[bytes] = set()

    def make(self, build: Callable[[], Request], freshness: Freshness) -> Reply:
        """The cached reply. Raises NotCached if there is none, VendorDown if the vendor would not be called."""
        call = self._call(build, freshness)
        if self._costs(call):
            self.upstream.breakers[call.request.base].refuse(call.request.shown_url)
            self.count += 1
            self._counted.add(call.key)
        cached = self.upstream.reply_cache.get(call.key, MAX_AGE_SECONDS)
        if cached is None:
            raise NotCached(call.request.shown_url)
        return Reply(cached.reply, self.progress, ignore, call.request.only)

    def last_in(self, part: Callable[P, T], instead: T) -> Callable[P, T]:
        """The part, with `instead` as its result if its reply is not cached: it has been counted."""

        def dry(*arguments: P.args, **options: P.kwargs) -> T:
            try:
                return part(*arguments, **options)
            except NotCached:
                return instead

        return dry

    def _costs(self, call: Call) -> bool:
        """Whether the vendor would be called. The reply to a call of this sweep would be reused within it."""
        if self._mode is Mode.REFRESH:
            return True
        is_new = call.key not in self._counted or not call.fresh_seconds
        return is_new and self.upstream.reply_cache.get(call.key, call.fresh_seconds) is None


def dry_run(
    cloud: Cloud, credential: Credential, deadline: Deadline, mode: Mode, find: Callable[[Vendor], Iterable[Keyed]]
) -> Estimate:
    """The calls that a sweep with this credential would make if nothing has changed at the vendor."""
    runs: list[DryCalls] = []

    def connect(hooks: Hooks) -> Calls:
        runs.append(DryCalls(cloud, hooks, deadline, mode))
        return runs[0]

    sweep = Sweep(cloud.vendor(credential, connect))
    sweep.run(find)
    failures = [failure for failure in sweep.progress.failures if not isinstance(failure, NotCached)]
    is_exact = len(failures) == len(sweep.progress.failures)
    return Estimate(runs[0].count, is_exact, worst(failures) if failures else None)
