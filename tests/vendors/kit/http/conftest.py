"""Servers over HTTP and HTTPS, and calls to them."""

import pytest
import trustme

from tests.vendors.kit.servers import request_to, serving
from vendors.kit.deadline import Deadline
from vendors.kit.http.transport import Transport


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(params=["http", "https"])
def scheme(request):
    return request.param


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def fetch(scheme, authority, ca_file):
    """Sends a request to a server with a given behaviour; returns the reply."""
    transport = Transport(ca_file=ca_file)

    def call(behave, seconds=5.0):
        with serving(behave, authority if scheme == "https" else None) as server:
            return transport.fetch(request_to(server, scheme), Deadline(seconds))

    return call
