"""Everything that the documents name exists: files, headings, make targets, settings, commands and codes of errors."""

import re
import shlex

import click
import pytest
from flask import Flask

import vendors.kit
from app import cli, config
from app.api.error_pages import meanings
from app.config import ROOT
from tests.walkthrough import blocks

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# Programs of the commands that are not run here.
PROGRAMS = {
    "curl",
    "heroku",
    "git",
    "rm",
    "cp",
    "python3",
    "pg_dump",
    "pg_restore",
    "docker",
    "sudo",
    "cd",
    ".venv/bin/flask",
    ".venv/bin/gunicorn",
}
# OTEL: variables of OpenTelemetry, which it reads itself.
BEGINNINGS = (config.VENDOR_URL, config.VENDOR_LIMIT, "OTEL_")
# Names in capitals that are no settings: of other programs, files and constants, and an argument of a command.
OTHERS = {"HTTP_PROXY", "HTTPS_PROXY", "BODY_LIMIT", "LONG_WAITS", "CLIENT_ID", "POSTGRES_PASSWORD", "FLASK_DEBUG"}
COMMAND = re.compile(r"--app wsgi ([a-z][a-z -]*)|`((?:clients|db|virtual|vendors|credentials) [a-z-]+)")
# RFC 6749, section 5.2.
OAUTH = {"invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"}
# Members in the same form as codes.
MEMBERS = {"left_out", "request_id", "client_id", "client_secret", "http_version"}
of_every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def slugs(text):
    """The anchors of a document's headings, as viewers of Markdown make them."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", plain, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@of_every_document
def test_every_link_leads_to_a_file_and_a_heading_that_exist(document):
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", document.read_text()):
        target = document.parent / path if path else document
        assert target.exists(), path
        assert not anchor or anchor in slugs(target.read_text()), f"{path}#{anchor}"


def test_the_index_names_every_page():
    index = (ROOT / "docs/index.md").read_text()
    named = set(re.findall(r"\]\(([\w./-]+\.md)\)", index))
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert named == pages | {"../README.md", "../CONTRIBUTING.md"}


@of_every_document
def test_every_make_target_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for line in re.findall(r"(?:`|^    )(?:[A-Z_]+=\S+ )*make ([a-z -]+)", document.read_text(), re.M):
        assert set(line.split()) <= targets


@of_every_document
def test_every_name_in_capitals_is_a_setting_or_known(document):
    text = document.read_text()
    variables = set(re.findall(r"\$\{?([A-Z_]+)", text)) | set(vendors.kit.__all__)
    spans = " ".join(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)))
    names = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", spans))
    unknown = names - config.NAMES - variables - OTHERS
    assert {name for name in unknown if not name.startswith(BEGINNINGS)} <= {"VENDOR_URL", "VENDOR_LIMIT"}


@of_every_document
def test_every_command_exists(document):
    for words in COMMAND.findall(document.read_text()):
        command = commands()
        for word in "".join(words).partition(" --")[0].split():
            if isinstance(command, click.Group):
                assert word in command.commands, words
                command = command.commands[word]


def commands():
    app = Flask("commands")
    cli.init_app(app)
    return app.cli


@of_every_document
def test_every_code_of_an_error_in_an_example_exists(document):
    codes = re.findall(r'"code": ?"([a-z_]+)"', document.read_text())
    assert set(codes) <= set(meanings())


@pytest.mark.parametrize("name", ["errors", "partial-answers", "quotas", "rotate-keys", "behind-a-proxy", "intervals"])
def test_every_code_of_an_error_in_a_text_exists(name):
    text = (ROOT / f"docs/{name}.md").read_text()
    assert set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text)) - MEMBERS - OAUTH <= set(meanings())


def words_of_marked(document):
    """The words of every command of a document that is not run."""
    for block in blocks(document.read_text()):
        if block.is_marked and not block.is_json:
            for command in block.commands:
                yield shlex.split(command)


@of_every_document
def test_what_is_not_run_names_programs_and_settings_that_exist(document):
    for words in words_of_marked(document):
        names = {word.partition("=")[0] for word in words if re.match(r"[A-Z_]+=", word)}
        assert names <= config.NAMES
        assert words[0] in PROGRAMS or words[0].partition("=")[0] in names, words
