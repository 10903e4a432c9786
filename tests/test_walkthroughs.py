"""Pages that are followed with the demo running: each command is run, and what it prints is compared."""

import pytest

from app.config import ROOT
from tests.walkthrough import follow, running_demo

# The page about quotas comes last, since it spends one.
WITH_DEMO = ["tutorial", "partial-answers", "play-faults", "errors", "quotas"]


@pytest.fixture(scope="module")
def demo():
    with running_demo() as demo:
        yield demo


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", WITH_DEMO)
def test_every_command_of_the_page_prints_what_the_page_shows(demo, tmp_path, name):
    text = (ROOT / f"docs/{name}.md").read_text().replace("\n    make demo\n", "\n")
    assert follow(text, demo.shell, tmp_path)
