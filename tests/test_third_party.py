"""A vendor in a separate package, which is installed next to the server and found by its entry point."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SETUP = """
[metadata]
name = derapi-vendor-{name}
version = 1
[options]
py_modules = {module}
[options.entry_points]
derapi.vendors =
    {name} = {module}:Sunny
"""

MODULE = """
from vendors.kit import (SolarInverter, Vendor)


class Sunny(Vendor):
    hosts = {{"{name}": {{"main": "https://api.sunny.test"}}}}

    def devices(self, site=None):
        yield from self.client.get("/inverters").rows("inverters", to=to_inverter)


def to_inverter(raw):
    return SolarInverter.listed((raw["id"],), raw["id"], "1", lambda raw: {{}}, raw)
"""


@pytest.fixture
def installed(tmp_path):
    """Installs a package that offers a vendor; returns a function that runs Python with that package."""

    def install(name, module):
        source, target = tmp_path / "source", tmp_path / "target"
        source.mkdir()
        (source / "setup.cfg").write_text(SETUP.format(name=name, module=module))
        (source / "setup.py").write_text("from setuptools import setup; setup()")
        (source / f"{module}.py").write_text(MODULE.format(name=name))
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        command += ["--no-build-isolation", "--target", str(target), str(source)]
        subprocess.run(command, check=True, capture_output=True)

        def run(program):
            environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{target}", "INSTANCE_PATH": str(tmp_path)}
            command = [sys.executable, "-c", program]
            return subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)

        return run

    return install


@pytest.mark.exhaustive
def test_a_vendor_in_another_package_is_found_and_listed(installed):
    run = installed("sunny", "derapi_sunny")
    answer = run("from vendors.kit.registry import discover; print(discover()['sunny'].__module__)")
    assert (answer.stdout.strip(), answer.returncode) == ("derapi_sunny", 0), answer.stderr
    listed = run("import sys; sys.argv = ['flask', '--app', 'wsgi', 'vendors']; import flask.cli; flask.cli.main()")
    assert '"sunny": "derapi_sunny.Sunny (list)"' in listed.stdout


@pytest.mark.exhaustive
def test_two_plugins_of_one_name_refuse_the_start_with_both_named(installed):
    run = installed("sma", "derapi_other_sma")
    answer = run("import wsgi")
    assert answer.returncode != 0
    assert "'sma' is claimed by vendors.sma.api and by derapi_other_sma" in answer.stderr
    assert "Traceback" not in answer.stderr
