"""Every part of a deployment has a licence that goes with this project's."""

from email.message import Message
from importlib import metadata

import pytest

from app.config import ROOT
from tests import licences


@pytest.mark.parametrize("name", licences.dependencies())
def test_a_dependency_has_an_accepted_licence(name):
    licence = licences.licence_of(metadata.metadata(name))
    assert licences.is_accepted(licence), f"{name}: {licence or 'no licence'}"


@pytest.mark.parametrize(("name", "licence", "text"), licences.WITHIN_PAGES)
def test_a_part_of_the_pages_has_an_accepted_licence_and_its_text_is_there(name, licence, text):
    assert licences.is_accepted(licence)
    files = metadata.files("flask-swagger-ui")
    inside = next((file.locate() for file in files if str(file).endswith("dist/LICENSE")), None)
    file = ROOT / text if text.startswith("app/") else inside
    first_lines = file.read_text()[:300]
    assert {"MIT": "MIT License", "Apache-2.0": "Apache License"}[licence] in first_lines


def test_every_vendored_folder_of_the_pages_is_listed():
    folders = {path.name for path in (ROOT / "app/web/pages/static/vendored").iterdir()}
    assert folders == {name.lower() for name, _, text in licences.WITHIN_PAGES if text.startswith("app/")}


@pytest.mark.parametrize(
    ("fields", "licence", "is_accepted"),
    [
        ({"License-Expression": "MPL-2.0 AND (Apache-2.0 OR MIT)"}, "MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ({"License-Expression": "GPL-3.0-only"}, "GPL-3.0-only", False),
        ({"License-Expression": "MIT OR GPL-3.0-only"}, "MIT OR GPL-3.0-only", False),
        ({"License": "MIT License"}, "MIT", True),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, "BSD", True),
        ({"License": "Copyright 2026\nAll rights reserved, of whom it may concern"}, "", False),
        ({}, "", False),
    ],
)
def test_a_licence_is_read_from_every_form_of_metadata_and_an_unknown_or_missing_one_is_refused(
    fields, licence, is_accepted
):
    described = Message()
    for name, value in fields.items():
        described[name] = value
    assert licences.licence_of(described) == licence
    assert licences.is_accepted(licence) is is_accepted
