"""Watches which of a plugin's calls are optional: made for members that a record can do without."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from unittest import mock

from vendors.kit import Client
from vendors.kit.http.transport import Transport

# The verb of `Client` that begins an optional call.
VERB = "optional"

is_optional = ContextVar("is_optional", default=False)


@contextmanager
def watched_calls(transport: Transport) -> Iterator[dict[str, bool]]:
    """For each URL that is called in the block, without its query, whether all calls of it were optional."""
    urls: dict[str, bool] = {}
    begin_optional, fetch = getattr(Client, VERB), transport.fetch

    def marked(client, call):
        def call_marked():
            token = is_optional.set(True)
            try:
                return call()
            finally:
                is_optional.reset(token)

        return begin_optional(client, call_marked)

    def noted(request, deadline):
        url = request.url.partition("?")[0]
        urls[url] = urls.get(url, True) and is_optional.get()
        return fetch(request, deadline)

    with mock.patch.object(Client, VERB, marked), mock.patch.object(transport, "fetch", noted):
        yield urls
