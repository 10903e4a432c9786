"""The page on which an owner signs in, reads who asks for what, and allows or refuses it. It has no script.

Tests send the form as a browser does: `POST` to the page's URL, query included, with `owner` (an address) and
`decision` (`allow`, `refuse` or `later`).
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Generic, NamedTuple
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, request

from sandbox.consent.authorization import PageRules, authorization_request, back, message, page
from sandbox.consent.codes import AuthorizationRequest, Codes
from sandbox.consent.consents import Consent, Consents
from sandbox.consent.owners import AnyOwner


class Given(NamedTuple):
    """A new consent, and the members that the vendor adds to the callback."""

    consent: Consent
    callback: Mapping[str, str] = {}


class ConsentPage(Generic[AnyOwner]):
    """One vendor's page. `give` makes the consent of an owner to what was asked."""

    def __init__(
        self,
        rules: PageRules,
        consents: Consents,
        codes: Codes,
        owners: Mapping[str, AnyOwner],
        is_client: Callable[[str], bool],
        give: Callable[[AuthorizationRequest, AnyOwner], Given],
    ) -> None:
        """owners: those who can sign in, by address in lower case. is_client: whether an application is known."""
        self._rules, self._consents, self._codes = rules, consents, codes
        self._owners, self._is_client, self._give = owners, is_client, give

    def add_routes(self, blueprint: Blueprint, path: str) -> None:
        """The page at that path below the vendor's base."""
        blueprint.add_url_rule(path, "consent", self.show, methods=["GET"])
        blueprint.add_url_rule(path, "consent_form", self.decide, methods=["POST"])

    def show(self) -> Response:
        """The question."""
        asked = authorization_request(self._rules, self._is_client)
        self._consents.count("pages")
        html = render_template(
            "consent.html",
            rules=self._rules,
            asked=asked,
            wishes=[self._rules.scopes[scope] for scope in asked.scopes],
            owners=self._owners.values(),
            destination=urlsplit(asked.redirect_uri).netloc,
        )
        return page(html)

    def decide(self) -> Response:
        """What follows from the form."""
        asked = authorization_request(self._rules, self._is_client)
        decision = request.form.get("decision", "")
        owner = self._owners.get(request.form.get("owner", "").lower())
        if decision == "later":
            return message("Nothing was decided. You can close this window.", is_question_open=True)
        if decision == "refuse":
            self._consents.count("refused")
            return back(asked, error="access_denied", error_description="The owner refused")
        if decision != "allow" or owner is None:
            return message("The form is not complete.", HTTPStatus.BAD_REQUEST, is_question_open=True)
        given = self._give(asked, owner)
        self._consents.count("allowed")
        return back(asked, code=self._codes.issue(asked, self._consents.add(given.consent)), **given.callback)
