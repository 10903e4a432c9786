"""Pages for browsers, the same facts as JSON for programs, and the headers that keep pages safe."""

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.auth.bearer import PAGES
from app.config import Settings
from app.web.pages import assets
from vendors.kit import Stage

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}
PROGRAMS = [{}, {"Accept": "*/*"}, {"Accept": "application/json"}, {"Accept": "application/json, text/html"}]
PATHS = ["/", "/fleet", "/apidocs/", "/nowhere"]


class Page(HTMLParser):
    """The tags of a page with their attributes; its links and what it loads, resolved as a browser does."""

    def __init__(self, html: str, url: str) -> None:
        super().__init__()
        self.url = url
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    @property
    def loaded(self) -> set[str]:
        """The URLs of scripts, styles and pictures."""
        used = {attributes.get("src") for tag, attributes in self.tags if tag in {"script", "img"}}
        used |= {attributes.get("href") for tag, attributes in self.tags if tag == "link"}
        return {urljoin(self.url, url) for url in used if url}

    @property
    def linked(self) -> set[str]:
        """The URLs of links to pages."""
        links = {attributes.get("href") for tag, attributes in self.tags if tag == "a"}
        return {urljoin(self.url, url) for url in links if url}


def page(http: FlaskClient, path: str) -> Page:
    return Page(http.get(path, headers=BROWSER).get_data(as_text=True), path)


@pytest.mark.parametrize("headers", PROGRAMS)
def test_programs_get_the_first_page_as_json(http: FlaskClient, headers: dict[str, str]) -> None:
    answer = http.get("/", headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.vary.to_header() == "Accept"
    assert answer.json is not None
    assert (answer.json["status"], answer.json["database"]) == ("ok", "ok")
    assert answer.json["links"]["openapi"] == "http://localhost/openapi.json"
    for request in answer.json["firstRequests"]:
        assert "http://localhost/" in request["command"]


def test_a_browser_gets_the_same_facts_as_a_page(http: FlaskClient) -> None:
    facts = http.get("/").json
    assert facts is not None
    answer = http.get("/", headers=BROWSER)
    assert (answer.mimetype, answer.vary.to_header()) == ("text/html", "Accept")
    text = re.sub(r"&#(34|39);", lambda match: chr(int(match[1])), answer.get_data(as_text=True))
    assert "This server is up" in text
    assert facts["purpose"] in text
    assert len(facts["firstRequests"]) == 3
    for request in facts["firstRequests"]:
        assert request["purpose"] in text
        assert request["command"] in text
    assert {"/fleet", "/apidocs/", "/openapi.json"} <= Page(text, "/").linked


def test_the_first_requests_send_the_credential_of_a_vendor_that_this_server_asks(http: FlaskClient) -> None:
    facts = http.get("/").json
    assert facts is not None
    assert "franklinwh" in facts["vendors"]
    _, listed, energy = (request["command"] for request in facts["firstRequests"])
    assert "X-Authorization-sma: $VENDOR_CREDENTIAL" in listed
    assert "X-Authorization-sma: $VENDOR_CREDENTIAL" in energy


@pytest.mark.parametrize("headers", PROGRAMS)
def test_programs_get_errors_as_problems(http: FlaskClient, headers: dict[str, str]) -> None:
    answer = http.get("/nowhere", headers=headers)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.vary.to_header() == "Accept"
    assert answer.json is not None
    assert list(answer.json) == ["type", "title", "status", "detail", "code", "requestId"]


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/sites", 401), ("/health?x=1", 400)])
def test_a_browser_gets_the_facts_of_a_problem_as_a_page(http: FlaskClient, path: str, status: int) -> None:
    problem = http.get(path, headers={"X-Request-ID": "same"}).json
    assert problem is not None
    answer = http.get(path, headers=BROWSER | {"X-Request-ID": "same"})
    assert (answer.status_code, answer.mimetype, answer.vary.to_header()) == (status, "text/html", "Accept")
    assert answer.headers.get("WWW-Authenticate") == http.get(path).headers.get("WWW-Authenticate")
    text = answer.get_data(as_text=True)
    for value in problem.values():
        assert str(value) in text
    assert http.head(path, headers=BROWSER).data == b""


def test_a_problem_with_further_members_shows_them_escaped(app: Flask, http: FlaskClient) -> None:
    from app.web.problems import Problem

    def fail() -> None:
        raise Problem(409, "odd", "<b>odd</b>", vendors=["one", "<two>"], limit=7)

    app.view_functions["Pages.fleet"] = fail
    text = http.get("/fleet", headers=BROWSER).get_data(as_text=True)
    assert "&lt;b&gt;odd&lt;/b&gt;" in text
    assert "one, &lt;two&gt;" in text
    assert "<dd>7</dd>" in text


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_strict_headers_and_nothing_inline_or_from_elsewhere(http: FlaskClient, path: str) -> None:
    answer = http.get(path, headers=BROWSER)
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
    assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
    is_reference = path == "/apidocs/"
    assert policy["style-src"] == ("'self' 'unsafe-inline'" if is_reference else "'self'")
    assert policy.get("require-trusted-types-for") == (None if is_reference else "'script'")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Set-Cookie" not in answer.headers
    for tag, attributes in Page(answer.get_data(as_text=True), path).tags:
        assert tag not in {"style", "base", "iframe"}
        assert tag != "script" or attributes.get("src")
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "#").startswith(("./", "../", "/errors/", "#")), attributes


@pytest.mark.parametrize("path", PATHS)
def test_all_that_a_page_loads_is_there_and_kept_forever(http: FlaskClient, path: str) -> None:
    loaded = page(http, path).loaded
    assert loaded
    for url in loaded:
        answer = http.get(url)
        assert answer.status_code == 200, url
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        expected = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}[url.rpartition(".")[2]]
        assert answer.mimetype == expected


def test_modules_import_only_modules_that_the_page_loads_already(http: FlaskClient) -> None:
    loaded = page(http, "/fleet").loaded
    for url in loaded:
        if "/fleet/" in url:
            imported = re.findall(r'^import .* from "\./(.+)";$', http.get(url).get_data(as_text=True), re.M)
            assert {f"{url.rpartition('/')[0]}/{name}" for name in imported} <= loaded


def test_a_first_visit_to_the_fleet_loads_less_than_150_kb(http: FlaskClient) -> None:
    sizes = {url: len(http.get(url).data) for url in page(http, "/fleet").loaded}
    assert sum(sizes.values()) + len(http.get("/fleet").data) < 150_000, sizes


def test_an_asset_is_compressed_for_those_who_accept_that(http: FlaskClient) -> None:
    url = next(url for url in page(http, "/fleet").loaded if url.endswith("uPlot.iife.min.js"))
    plain, compressed = http.get(url), http.get(url, headers={"Accept-Encoding": "gzip, deflate, br"})
    assert "Content-Encoding" not in plain.headers
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed.data) == plain.data
    assert plain.vary.to_header() == compressed.vary.to_header() == "Accept-Encoding"
    assert http.get(url, headers={"Accept-Encoding": "gzip;q=0, *;q=0"}).data == plain.data


@pytest.mark.parametrize("name", ["nothing.js", "../blueprint.py", "%2e%2e/blueprint.py", "fleet", ""])
def test_there_is_no_asset_but_those_that_are_listed(http: FlaskClient, name: str) -> None:
    assert http.get(f"/assets/{assets.load().digest}/{name}").status_code == 404


def test_an_asset_of_another_release_is_not_found(http: FlaskClient) -> None:
    assert http.get("/assets/0123456789abcdef/fleet/main.js").status_code == 404


def test_pages_need_no_token_and_everything_else_does(app: Flask) -> None:
    of_pages = ("Pages.", "ErrorPages.", "Docs.", "VendorKeys.", "JoinForms.")
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith(of_pages)}
    assert endpoints == PAGES


def test_the_sign_in_has_a_field_for_every_header_of_the_vendors_that_this_server_asks(
    app: Flask, http: FlaskClient
) -> None:
    names = {attributes.get("name") for tag, attributes in page(http, "/fleet").tags if tag == "input"}
    for name, cloud in app.extensions["services"].clouds.items():
        is_asked = cloud.vendor.stage is not Stage.DECLARED
        assert (f"X-Authorization-{name}" in names) == is_asked
        for alternatives in cloud.vendor.credential_headers.companions.values():
            assert alternatives[0] in names


@pytest.mark.parametrize("path", [*PATHS, "/errors/not_found", "/one/two/three/"])
def test_behind_a_proxy_with_a_path_every_link_and_asset_is_below_that_path(
    settings: Settings, start_service: Callable[..., Flask], path: str
) -> None:
    public = "http://localhost/solar"
    http = start_service(replace(settings, public_url=public)).test_client()
    seen = Page(http.get(path, headers=BROWSER).get_data(as_text=True), public + path)
    assert {f"{public}/fleet", f"{public}/apidocs/"} <= seen.linked
    for url in seen.loaded | seen.linked:
        assert url.startswith(f"{public}/"), url
    for url in seen.loaded:
        assert http.get(url.removeprefix(public)).status_code == 200


def test_the_reference_without_a_slash_leads_to_the_one_with_it(http: FlaskClient) -> None:
    for path in ("/apidocs", "/docs"):
        answer = http.get(f"{path}?x=1")
        # Relative: a proxy may have another scheme, another host and a path before it.
        assert (answer.status_code, answer.headers["Location"]) == (308, f".{path}/?x=1")


def test_pages_and_assets_answer_to_known_hosts_only(http: FlaskClient) -> None:
    for path in ("/", "/fleet", "/apidocs/"):
        assert http.get(path, headers={"Host": "evil.example"}).status_code == 400
