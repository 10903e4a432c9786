"""The README as a newcomer follows it: `make demo` is run, then every command before it, and the answers are compared.

A block that needs an account elsewhere has a comment before it; of those the commands and settings must exist.
"""

import json
import os
import re
import shlex
import subprocess
import threading
from dataclasses import dataclass
from itertools import pairwise

import pytest

from app import config
from app.cli import clients, db
from tests.ports import free_port
from tests.processes import clean, read_until, started
from tests.services import served

MARK = "<!-- needs an account elsewhere: not run by the tests -->"
DOCUMENTS = [config.ROOT / "README.md", config.ROOT / "CONTRIBUTING.md", *sorted((config.ROOT / "docs").glob("*.md"))]
# Not of pip's making: `make test` has seen to that.
MAKE = ["make", "--old-file=.venv/complete"]


@dataclass(frozen=True)
class Block:
    """Commands (a command may go over several lines), or an answer as JSON."""

    text: str
    is_json: bool
    is_marked: bool

    @property
    def commands(self):
        return self.text.replace("\\\n", " ").splitlines()


def blocks(text):
    """The blocks of a document: indented ones are commands, fenced ones answers."""
    mark = f"(?P<mark>{re.escape(MARK)}\n\n?)?"
    fenced, indented = r"```json\n(?P<json>.*?)\n```", r"(?P<shell>(?:    [^\n]*\n)+)"
    for match in re.finditer(rf"(?<=\n\n){mark}(?:{fenced}|{indented})", text, re.S):
        body = match["json"] or re.sub("^    ", "", match["shell"], flags=re.M)
        yield Block(body, is_json=match["json"] is not None, is_marked=match["mark"] is not None)


README = (config.ROOT / "README.md").read_text()
BLOCKS = list(blocks(README))
REQUESTS = [
    pytest.param(block, json.loads(after.text), id=str(number))
    for number, (block, after) in enumerate(pairwise(BLOCKS))
    if block.text.startswith("curl") and after.is_json and not block.is_marked
]
TERMINALS, TOKEN = (
    next(block for block in BLOCKS if block.text.startswith(begins)) for begins in ("make sandbox", "curl -u")
)


class Shell:
    """bash with variables, where the service and the sandbox have other ports."""

    def __init__(self, port, sandbox_port, **variables):
        self._ports = {":8000": f":{port}", ":9000": f":{sandbox_port}"}
        self.environ = clean(PORT=port, SANDBOX_PORT=sandbox_port)
        self.variables = variables

    def here(self, text):
        """The same with the ports of this service."""
        for written, used in self._ports.items():
            text = text.replace(written, used)
        return text

    def run(self, command):
        """Its output."""
        command, environ = self.here(command), self.environ | self.variables
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            env=environ, cwd=config.ROOT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout


@dataclass(frozen=True)
class Demo:
    """`make demo` while it runs: what it has printed, and a shell with the variables of its export block."""

    shell: Shell
    screen: str


@pytest.fixture(scope="module")
def demo():
    shell = Shell(free_port(), free_port())
    with started([*MAKE, "demo"], shell.environ) as process:
        screen = read_until(process, "until Ctrl-C")
        exports = re.findall(r"^export .*$", screen, re.M)
        names = [line.split()[1].partition("=")[0] for line in exports]
        values = shell.run("\n".join([*exports, *(f'echo "${name}"' for name in names)])).splitlines()
        shell.variables |= dict(zip(names, values, strict=True))
        yield Demo(shell, screen)


def agree(shown, actual):
    """Whether an answer is as shown; of a long list its beginning may be shown."""
    if isinstance(shown, dict):
        assert shown.keys() == actual.keys()
        for name, value in shown.items():
            agree(value, actual[name])
    elif isinstance(shown, list):
        assert len(shown) <= len(actual)
        for expected_row, actual_row in zip(shown, actual, strict=False):
            agree(expected_row, actual_row)
    else:
        assert shown == actual


@pytest.mark.parametrize(("block", "shown"), REQUESTS)
def test_the_demo_answers_every_request_of_the_readme_as_shown(demo, block, shown):
    (command,) = block.commands
    actual = json.loads(demo.shell.run(command.replace("curl", "curl -s", 1)))
    agree(json.loads(demo.shell.here(json.dumps(shown))), actual)
    if "solar-inverters" in actual:
        assert f"The first three of the demo's {len(actual['solar-inverters'])}." in README


def without_figures(line):
    """A line of the screen without what differs from run to run: times, energies, hours and the height of bars."""
    line = re.sub(r"[\d.]+ (ms|kWh)", r"N \1", line)
    line = re.sub(r"[▁▂▃▄▅▆▇█]+( +[▁▂▃▄▅▆▇█]+)*", "bars", line)
    line = re.sub(r"\d\d( \d\d){22,24}", "hours", line)
    return re.sub(" +", " ", line).strip()


def test_the_first_screen_of_the_demo_is_as_the_readme_shows_it(demo):
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.S)
    printed = [without_figures(line) for line in demo.screen.splitlines()]
    assert [line for line in map(without_figures, shown.splitlines()) if line not in printed] == []


@pytest.mark.exhaustive
def test_without_the_demo_three_terminals_make_a_client_that_gets_a_token(tmp_path):
    shell = Shell(free_port(), free_port())
    shell.environ |= {"INSTANCE_PATH": str(tmp_path)}
    sandbox, gunicorn, create = TERMINALS.commands
    assert sandbox == "make sandbox"
    with (
        started([*MAKE, "sandbox"], shell.environ) as first,
        started(["bash", "-c", f"exec env {shell.here(gunicorn)}"], shell.environ) as second,
    ):
        for process, ready in ((first, "sandbox of"), (second, "listening")):
            read_until(process, ready)
            threading.Thread(target=process.stdout.read, daemon=True).start()
        client = json.loads(shell.run(create))
        shell.variables |= {"CLIENT_ID": client["client_id"], "CLIENT_SECRET": client["client_secret"]}
        token = json.loads(shell.run(TOKEN.text.replace("curl", "curl -s", 1)))["access_token"]
        played = json.loads(shell.run("curl -s http://127.0.0.1:9000/"))["vendors"]["tesla"]["headers"]
        credentials = played | {"Authorization": f"Bearer {token}"}
        headers = " ".join(f'-H "{name}: {value}"' for name, value in credentials.items())
        listed = json.loads(shell.run(f"curl -s http://127.0.0.1:8000/solar-inverters {headers}"))
        assert (len(listed["solar-inverters"]), listed["errors"]) == (9, {})


def test_the_partial_result_is_what_a_spent_quota_gives(tmp_path):
    (shown,) = (json.loads(block.text) for block in BLOCKS if block.is_json and "errorDetails" in block.text)
    with served(tmp_path, sites=14) as (service, played):
        played.put("/limits/solaredge", {"calls": 10, "seconds": 60})
        answer = service.get("/solar-inverters?vendor=solaredge", played.headers("solaredge"))
        text = answer.text.replace(f"{played.url}/solaredge", "https://monitoringapi.solaredge.com")

    def masked(value):
        text = re.sub(r"sites/\d+/", "sites/7/", json.dumps(value))
        return json.loads(re.sub(r'"retryAfter": \d+', '"retryAfter": 42', text))

    actual = json.loads(text)
    assert re.fullmatch("solr-[0-9a-z]{16}", shown["solarInverters"][0]["id"])
    assert len(actual["solarInverters"]) >= 9
    for member in ("errors", "errorDetails"):
        assert masked(actual[member]) == shown[member]


def test_every_block_of_the_readme_is_run_or_marked():
    tried = {MAKE[0] + " demo\n", MAKE[0] + " test\n", TERMINALS.text, TOKEN.text}
    tried |= {block.text for case in REQUESTS for block in case.values[:1]}
    answers = [block for block in BLOCKS if block.is_json]
    assert len(answers) == len(REQUESTS) + 1, "those of the requests, and the partial result"
    assert [block.text for block in BLOCKS if not (block.is_json or block.is_marked or block.text in tried)] == []


def words_of_marked():
    """The words of every command that is not run."""
    for block in BLOCKS:
        if block.is_marked:
            for command in block.commands:
                yield shlex.split(command)


def test_what_is_not_run_names_commands_and_settings_that_exist():
    groups = {"clients": clients, "db": db}
    marked = list(words_of_marked())
    assert marked
    for words in marked:
        assert words[0] in ("curl", "heroku", "git")
        if "wsgi" in words:
            group, command = words[words.index("wsgi") + 1 :][:2]
            assert command in groups[group].commands
        if "config:set" in words:
            settings = [word.partition("=")[0] for word in words if re.match(r"[A-Z_]+=", word)]
            assert settings
            assert set(settings) <= set(config.NAMES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_settings_and_files_that_the_documentation_names_exist(document):
    text = document.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (config.ROOT / "Makefile").read_text(), re.M))
    for line in re.findall(r"(?:`|^    )(?:[A-Z_]+=\S+ )*make ([a-z -]+)", text, re.M):
        assert set(line.split()) <= targets
    for names in re.findall(r"(?:`|^    )((?:[A-Z_]+=\S+ )+)", text, re.M):
        assert {setting.partition("=")[0] for setting in names.split()} <= set(config.NAMES)
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert os.path.exists(document.parent / link), link
