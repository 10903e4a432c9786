"""The README as a newcomer follows it: `make demo` is run, then every command, and the answers are compared.

A block that needs an account elsewhere has a comment before it; tests/test_references.py looks at its words.
"""

import json
import re
import threading
from itertools import pairwise

import pytest

from app import config
from tests.fan_out_picture import DEADLINE_SECONDS, DELAYS
from tests.ports import free_port
from tests.processes import read_until, started
from tests.services import served
from tests.walkthrough import MAKE, Shell, agree, blocks, running_demo

README = (config.ROOT / "README.md").read_text()
BLOCKS = list(blocks(README))
REQUESTS = [
    pytest.param(block, json.loads(after.text), id=str(number))
    for number, (block, after) in enumerate(pairwise(BLOCKS))
    if block.text.startswith("curl") and after.is_json and not block.is_marked
]
TERMINALS, TOKEN = (
    next(block for block in BLOCKS if block.text.startswith(begins)) for begins in (".venv/bin/gunicorn", "curl -u")
)


@pytest.fixture(scope="module")
def demo():
    with running_demo() as demo:
        yield demo


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
def test_the_first_screen_of_the_demo_is_as_the_readme_shows_it(demo):
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.S)
    printed = [without_figures(line) for line in demo.screen.splitlines()]
    assert [line for line in map(without_figures, shown.splitlines()) if line not in printed] == []


@pytest.mark.exhaustive
def test_without_the_demo_two_terminals_make_a_client_that_gets_a_token(tmp_path):
    shell = Shell(free_port(), free_port())
    gunicorn, create = TERMINALS.commands
    # With a sandbox in the place of the real clouds.
    shell.environ |= {"INSTANCE_PATH": str(tmp_path), "SANDBOX_URL": shell.here("http://127.0.0.1:9000")}
    with (
        started([*MAKE, "sandbox"], shell.environ) as first,
        started(["bash", "-c", f"exec {gunicorn}"], shell.environ) as second,
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
    page = blocks((config.ROOT / "docs/errors.md").read_text())
    (shown,) = (json.loads(block.text) for block in page if block.is_json and "errorDetails" in block.text)
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
    assert len(answers) == len(REQUESTS)
    assert [block.text for block in BLOCKS if not (block.is_json or block.is_marked or block.text in tried)] == []


def test_the_picture_shows_the_figures_that_the_text_names():
    picture = (config.ROOT / "docs/fan-out.svg").read_text()
    (seconds,) = re.findall(r"inverters in ([\d.]+) s<", picture)[:1]
    lasts = [float(last) for last in re.findall(r"calls?, ([\d.]+) s<", picture)]
    text = " ".join(README.split())
    assert f"a deadline of {DEADLINE_SECONDS} s" in text
    assert float(seconds) == pytest.approx(DEADLINE_SECONDS, abs=0.05)
    assert len(lasts) == len(DELAYS) == 5
    assert max(lasts) < 0.3
    assert f"take {min(DELAYS.values())} to {max(DELAYS.values())} s for a call" in text


def test_the_picture_loads_nothing_and_runs_nothing():
    picture = (config.ROOT / "docs/fan-out.svg").read_text()
    assert not re.findall(r"<script|<style|<image|href|style=|\son\w+=", picture)
