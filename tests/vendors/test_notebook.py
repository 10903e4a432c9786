"""The examples of the library's documentation, run as they stand against the sandbox."""

import re
import textwrap
from pathlib import Path

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


def test_the_example_with_stored_credentials_gets_its_token_and_lists_the_devices(capsys):
    page = (Path(vendors.__path__[0]).parent / "docs" / "kit.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    with running(sandbox.create_app(2, 1)) as url:
        played = Played(url)
        (form,) = played.get("/")["vendors"]["sma"]["credentials"]
        assert "ReplyCache())\n" in code
        code = code.replace("ReplyCache())\n", f'ReplyCache(), "{url}/sma")\n')
        for member in ("clientID", "clientSecret"):
            assert f'"{member}": "..."' in code
            code = code.replace(f'"{member}": "..."', f'"{member}": "{form[member]}"')
        exec(compile(code, "example", "exec"), {})
        devices = [one["ids"]["deviceId"] for view in played.get("/truth")["views"]["sma"] for one in view["devices"]]
        assert played.calls("sma")["/oauth2/token"] == 1
    printed = capsys.readouterr().out
    assert devices
    assert all(f"'{device}'" in printed for device in devices)
