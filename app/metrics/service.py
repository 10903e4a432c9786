"""The metrics of one application: what is counted, what is shown, and how several processes show one result."""

import logging
import threading
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from app.metrics import files
from app.metrics.calls import CallMetrics
from app.metrics.definitions import Instruments
from app.metrics.requests import RequestMetrics
from app.metrics.reuse import ReuseMetrics
from app.metrics.state import Parts, ReadNumber, StateGauges

logger = logging.getLogger(__name__)

# A process that is killed loses its vendor calls of this time.
WRITE_SECONDS = 0.25
# The state of other processes that a process shows is up to 5 s old.
PUBLISH_TICKS = 20


class Metrics:
    """Counts from the start on. In several processes the values lie in files of a folder that all processes read."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.instruments = Instruments(self._registry)
        self.reuse = ReuseMetrics(self.instruments)
        self.calls = CallMetrics(self.instruments, self.reuse)
        self.requests = RequestMetrics(self.instruments, self.calls)
        self._folder: Path | None = None
        self._state: StateGauges | None = None

    def watch(self, parts: Parts) -> None:
        """Shows the state of these parts from now on."""
        self._state = StateGauges(self.instruments, parts)

    def count_refusal(self, status: int) -> None:
        """Counts a request that no route has seen."""
        self.instruments.counter("derapi_requests_refused_total").labels(status).inc()

    def share(self, folder: Path, readings: Mapping[str, ReadNumber]) -> None:
        """Makes this a process of several, whose values lie in the folder. Publishes its state every few seconds.

        readings: the gauges that the server of this process knows.
        """
        self._folder = folder
        self.instruments.counter("derapi_worker_starts_total").inc()
        if self._state is not None:
            self._state.read({"derapi_workers": lambda: 1, **readings})
            threading.Thread(target=self._publish_repeatedly, name="metrics", daemon=True).start()

    def count_death(self) -> None:
        """Counts the end of a process that was not ordered, in the process that started it."""
        self.instruments.counter("derapi_worker_deaths_total").inc()

    def process_ended(self, folder: Path, pid: int) -> None:
        """Keeps the counts of a process that has ended, in the process that started it."""
        try:
            files.fold(folder, pid)
        except Exception:  # A damaged file, or a full disk: the processes go on.
            logger.exception("the metrics of a process that has ended could not be kept")

    def text(self) -> bytes:
        """All metrics in Prometheus's text format, of all processes."""
        self.publish()
        if self._folder is None:
            return generate_latest(self._registry)
        return files.text(self._folder)

    def publish(self) -> None:
        """Writes the calls that are collected in memory, and sets the gauges of this process to its present state."""
        self.calls.write()
        if self._state is not None:
            self._state.publish()

    def _publish_repeatedly(self) -> None:
        for tick in count():
            try:
                if tick % PUBLISH_TICKS == 0:
                    self.publish()
                self.calls.write()
            except Exception:  # The other metrics go on.
                logger.exception("the state of this process could not be published")
            time.sleep(WRITE_SECONDS)
