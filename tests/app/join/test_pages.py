"""The pages of consent: languages, names, and what they say."""

import re
from html import unescape

import pytest

from app.join.failures import Reason
from app.storage.database import ClientRow
from app.web.pages import languages
from tests.app.join.support import Browser, heading


def test_both_languages_have_the_same_texts_with_the_same_facts():
    english, german = map(languages.texts_in, languages.CODES)
    assert english.keys() == german.keys()
    for page, texts in english.items():
        if isinstance(texts, dict):
            assert texts.keys() == german[page].keys(), page
            for name, text in texts.items():
                assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", german[page][name])), name
    assert set(english["failure"]) >= {reason.value for reason in Reason}


def test_no_text_of_a_page_of_success_has_the_word_that_means_failure_to_the_public_script():
    for code in languages.CODES:
        texts = languages.texts_in(code)
        pages = [texts[page] for page in ("success", "asked", "keys", "choose", "reads")]
        assert "failed" not in str(pages).lower()


@pytest.mark.parametrize(
    ("headers", "query", "language"),
    [
        ({}, "", "en"),
        ({"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}, "", "de"),
        ({"Accept-Language": "fr"}, "", "en"),
        ({"Accept-Language": "de"}, "&lang=en", "en"),
        ({}, "&lang=de", "de"),
        ({"Accept-Language": "de"}, "&lang=xx", "de"),
    ],
)
def test_the_language_is_that_of_the_browser_or_of_the_link(company, browser, headers, query, language):
    page = browser.open(f"{company.flow('solis')['link']}?vendor=solis{query}", headers=headers)
    assert f'<html lang="{language}">' in page.text
    assert ("Verbinden" in page.text) is (language == "de")
    assert "Accept-Language" in page.headers["Vary"]


def test_the_language_stays_the_same_over_a_form(company, browser):
    form = browser.open(f"{company.flow('solis')['link']}?vendor=solis&lang=de")
    page = browser.answer(form, keyID="1", keySecret="x", lang="de")
    assert "Solis nimmt die Eingabe nicht an" in page.text


def test_the_page_shows_the_clients_name_as_text(company):
    with company.services.database.session() as session:
        session.get(ClientRow, company.id).name = "<b>Sun & {vendor}</b>"
    company.services.clients._cached.clear()
    page = Browser(company).open(company.flow("solis")["link"])
    assert "<b>" not in page.text
    assert heading(page) == "<b>Sun & {vendor}</b> asks to read your solar devices"


def test_the_page_of_choice_names_the_vendors_and_what_will_be_read(company, browser):
    page = unescape(browser.open(company.flow("tesla", "solis", "enphase")["link"]).text)
    for text in ("Continue with Tesla", "Continue with Solis", "Continue with Enphase", "energy, hour by hour"):
        assert text in page


def test_a_page_needs_no_script_and_nothing_of_another_server(company, browser):
    for link in ("", "?vendor=solis"):
        page = browser.open(company.flow("solis")["link"] + link).text
        assert "<script" not in page
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


@pytest.mark.parametrize("state", ["0", "", "a%26b"])
def test_the_companys_state_comes_back_as_it_was(company, browser, state):
    form = browser.open(f"{company.flow('solis')['link']}?vendor=solis&state={state}")
    answer = browser.answer(form, **company.keys("solis"))
    assert f"&state={state}&" in answer.location


@pytest.mark.parametrize(
    "query", ["state=" + "x" * 1001, "redirect_uri=https://x.example", "vendor=solis&vendor=tesla"]
)
def test_an_owner_whose_link_is_wrong_is_answered_with_a_page(company, browser, query):
    page = browser.open(f"{company.flow('solis')['link']}?{query}", headers={"Accept-Language": "de"})
    assert (page.status_code, page.mimetype) == (400, "text/html")
    assert "Dieser Link ist nicht vollständig oder wurde verändert." in page.text
    assert "Set-Cookie" not in page.headers


def test_the_cookie_is_bound_to_this_host_where_the_service_has_https(company, browser):
    link = company.flow("solis")["link"].replace("http://", "https://")
    [cookie] = browser.http.get(link + "?vendor=solis", base_url="https://localhost").headers.getlist("Set-Cookie")
    assert re.match(r"__Host-join-[0-9a-f]{12}=[\w-]{32}; ", cookie)
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
