"""The pinned requirements agree with the version ranges of setup.cfg, and suit a deployment."""

import re
from configparser import ConfigParser

from packaging.requirements import Requirement
from packaging.version import Version

from app import config


def pins(name: str) -> dict[str, Version]:
    """Returns the version of each package that a requirements file pins."""
    lines = (config.ROOT / name).read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {pin.name.lower(): Version(str(pin.specifier).removeprefix("==")) for pin in requirements}


def test_every_requirement_of_setup_cfg_is_pinned_within_its_range() -> None:
    metadata = ConfigParser()
    metadata.read(config.ROOT / "setup.cfg")
    files = ("requirements", "requirements-otel", "requirements-dev", "requirements-audit")
    runtime, traces, tools, audit = (pins(f"{name}.txt") for name in files)
    for number, earlier in enumerate(layers := (runtime, traces, tools, audit)):
        assert not any(earlier.keys() & later.keys() for later in layers[number + 1 :])
    extras = metadata["options.extras_require"]
    for text, locked in (
        (metadata["options"]["install_requires"], runtime),
        ("".join(text for name, text in extras.items() if name != "audit"), tools | traces),
        (extras["audit"], audit),
    ):
        for line in text.split("\n"):
            if line:
                requirement = Requirement(line)
                assert locked[requirement.name.lower()] in requirement.specifier, line


def test_what_only_the_demo_needs_is_not_deployed() -> None:
    assert "rich" in pins("requirements-dev.txt")
    assert not {"rich", "markdown-it-py", "mdurl"} & pins("requirements.txt").keys()


def test_the_requirements_of_a_deployment_have_the_postgres_driver_and_no_urls() -> None:
    text = (config.ROOT / "requirements.txt").read_text()
    assert "psycopg[binary]==" in text
    assert not re.search(r"://|--|file:|@", text)
