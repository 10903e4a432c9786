"""Requests that schemathesis generates from /openapi.json, against the deployed service with the sandbox behind it.

Every check of schemathesis is on. Where one cannot hold, tests/api_exemptions.py names the parameter and the reason.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

import sandbox
from app.api.openapi.operations import operations
from app.config import ROOT
from sandbox.server import running
from tests.api_examples import KEYS, SEED, SITES
from tests.api_exemptions import EXEMPTIONS, concerning
from tests.deployed import deployed
from tests.processes import FLASK, clean, ended
from tests.services import PLAYED_VENDORS, Played
from vendors.kit.registry import discover

SCHEMATHESIS = str(Path(sys.executable).parent / "schemathesis")
# The document's examples are of this fleet and these keys, so that their ids exist.
OPTIONS = ["--seed", "1", "--max-examples", "5", "--continue-on-failure", "--request-timeout", "120"]
# The check that is left out is called by tests/api_checks.py, unless an exemption concerns the request.
CHECKS = ["--checks", "all", "--exclude-checks", "positive_data_acceptance"]
SECONDS = 540
SCOPES = "read credentials control"
# schemathesis makes up the headers of security schemes for which it gets no value.
UNPLAYED = {f"X-Authorization-{name}": "Bearer x" for name in discover() if name not in PLAYED_VENDORS}


def header_options(folder, url, mode, vendor_headers):
    """Options with the headers of a new client of a mode."""
    command = [*FLASK, "clients", "create", "x", "--mode", mode, "--api-version", "v2024-09-01", "--scopes", SCOPES]
    client = json.loads(ended(command, clean(INSTANCE_PATH=folder)).stdout)
    auth, form = (client["client_id"], client["client_secret"]), {"grant_type": "client_credentials"}
    token = requests.post(f"{url}/oauth2/token", form, auth=auth, timeout=SECONDS).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"} | vendor_headers
    return [option for name, value in headers.items() for option in ("-H", f"{name}: {value}")]


def generate(folder, url, headers, paths):
    """Runs schemathesis; returns its process."""
    environ = os.environ | {"SCHEMATHESIS_HOOKS": "tests.api_checks", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [SCHEMATHESIS, "run", f"{url}/openapi.json", *OPTIONS, *CHECKS, *headers, *paths]
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=SECONDS
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("mode", "paths"),
    [
        ("production", ["--exclude-path-regex", "^/virtual/"]),
        ("virtual", ["--include-path-regex", "^/virtual/"]),
    ],
)
def test_no_generated_request_is_answered_otherwise_than_described(tmp_path, mode, paths, report):
    keys = {name.upper(): value for name, value in KEYS.items()}
    with (
        running(sandbox.create_app(SITES, SEED)) as clouds,
        deployed(tmp_path, clouds, REQUEST_DEADLINE=60, **keys) as (_, url, _),
    ):
        vendor_headers = UNPLAYED | Played(clouds).headers() if mode == "production" else {}
        run = generate(tmp_path, url, header_options(tmp_path, url, mode, vendor_headers), paths)
        document = requests.get(f"{url}/openapi.json", timeout=SECONDS).json()
    assert run.returncode == 0, run.stdout
    count = sum(each.is_virtual == (mode == "virtual") for each in operations(document))
    assert int(re.search(r"Tested: (\d+)", run.stdout)[1]) == count
    generated = int(re.search(r"(\d+) generated, \1 passed", run.stdout)[1])
    assert generated > 25 * count
    report(f"schemathesis as a {mode} client: {generated} requests")


def test_valid_requests_may_be_refused_for_few_parameters_and_each_is_described(http):
    assert len(EXEMPTIONS) == len({each.parameter for each in EXEMPTIONS}) == 18
    document = http.get("/openapi.json").text
    for each in EXEMPTIONS:
        assert f'{each.parameter}"' in document, f"{each.parameter} is gone; so should its exemption"
        assert each.reason.endswith(".")


def test_an_exemption_is_for_requests_with_its_parameter_only():
    assert not concerning({"vendor": "sma", "pageSize": 3, "api-version": "v2024-09-01"})
    assert [each.parameter for each in concerning({"pageToken": "x", "vendor": "sma"})] == ["pageToken"]
    assert [each.parameter for each in concerning({"pageSize": 3, "api-version": "v1"})] == ["pageSize"]
