"""One service and the played vendors for all tests of a module; a new company and a new browser for each."""

import pytest

from tests.app.join.support import Browser, Company
from tests.services import served


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with served(tmp_path_factory.mktemp("join"), sites=3) as service_and_clouds:
        service_and_clouds[0].app.extensions["services"].join.consents.pause = lambda seconds: None
        yield service_and_clouds


@pytest.fixture
def company(running):
    return Company(*running)


@pytest.fixture
def rival(running):
    """Another company."""
    return Company(*running)


@pytest.fixture
def browser(company):
    return Browser(company)


@pytest.fixture
def stranger(company):
    """Another browser."""
    return Browser(company)
