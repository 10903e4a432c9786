"""docs/architecture.md lists the steps of a call in the order of the pipeline."""

import re
from pathlib import Path

from vendors.kit.calls import pipeline

ARCHITECTURE = Path(__file__).parents[4] / "docs" / "architecture.md"


def test_the_architecture_page_lists_the_eleven_steps_of_the_pipeline_in_order():
    steps = re.findall(r"^ ?(\d+)\. (.+?)  +(.+)$", pipeline.__doc__, re.MULTILINE)
    page = ARCHITECTURE.read_text()
    section = page[page.index("### `kit/calls/`") : page.index("### `kit/http/`")]
    assert re.findall(r"^(\d+)\. (.+?): (.+)$", section, re.MULTILINE) == steps
    assert len(steps) == 11
