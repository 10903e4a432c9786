"""The example of the library's own documentation, run as it stands against the sandbox."""

import re
import textwrap

import pytest

import sandbox
import vendors
from sandbox.server import running
from tests.services import Played
from vendors.sma import Sma


def example():
    """The indented block of the docstring."""
    (block,) = re.findall(r"(?m)(?:^    .*\n|^\n(?=    ))+", vendors.__doc__)
    return textwrap.dedent(block)


@pytest.mark.parametrize("write", [str, str.lower, str.upper])
def test_the_example_lists_an_accounts_devices_however_the_header_is_written(monkeypatch, capsys, write):
    with running(sandbox.create_app(2, 1)) as url:
        played = Played(url)
        monkeypatch.setattr(Sma, "hosts", {"sma": {"": f"{url}/sma"}})
        ((header, value),) = played.headers("sma").items()
        code = example()
        assert '"X-Authorization-sma": "Bearer ..."' in code
        code = code.replace(f'"{header}": "Bearer ..."', f'"{write(header)}": "{value}"')
        exec(compile(code, "example", "exec"), {})
        devices = [one["ids"]["deviceId"] for view in played.get("/truth")["views"]["sma"] for one in view["devices"]]
    printed = capsys.readouterr().out
    assert devices
    assert len(printed.splitlines()) == len(devices)
    assert all(f"'{device}'" in printed for device in devices)
    assert value.split()[1] not in printed
