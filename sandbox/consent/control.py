"""The endpoints by which a test plays the owners, and counts what they and the applications did."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, request

from sandbox.consent.consents import DECISIONS, Consents, State
from sandbox.dialect import Dialect
from sandbox.fields import an_object, number, one_of, text
from sandbox.replies import reply

LONGEST_SECONDS = 10 * 366 * 86_400
NOT_STORED = {"Cache-Control": "no-store"}


def routes(dialects: Mapping[str, Dialect]) -> Blueprint:
    """`GET`, `PUT` and `DELETE /consents/<vendor>`."""
    blueprint = Blueprint("consents", __name__)

    def of(vendor: str) -> Consents:
        dialect = dialects.get(vendor)
        return (dialect and dialect.consents) or abort(404, f"{vendor} has no consents of owners here")

    @blueprint.get("/consents/<vendor>")
    def show(vendor: str) -> Response:
        """All consents, and the counts of pages, answers and codes."""
        consents = of(vendor)
        body = {"counts": dict(sorted(consents.counts.items())), "consents": consents.shown()}
        return reply(body, headers=NOT_STORED)

    @blueprint.put("/consents/<vendor>")
    def decide(vendor: str) -> Response:
        """The owner decides at the vendor, now or some seconds later by the clock of the data."""
        consents, members = of(vendor), an_object(_body(), {"owner", "state", "after_seconds"})
        owner = text("owner", members.get("owner"))
        decision = State(one_of(tuple(DECISIONS))("state", members.get("state")))
        after = number(0, LONGEST_SECONDS)("after_seconds", members.get("after_seconds", 0))
        count = consents.decide(owner, decision, consents.now() + after)
        return reply({"consents": count}) if count else abort(404, f"{owner} was not asked by {vendor}")

    @blueprint.delete("/consents/<vendor>")
    def forget(vendor: str) -> Response:
        """Leaves the consents that were there from the start, and counts from zero."""
        of(vendor).forget()
        return Response(status=204)

    return blueprint


def _body() -> Any:
    return request.get_json(force=True, silent=True)
