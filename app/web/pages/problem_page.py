"""Errors in a browser: a page with the facts of the problem document."""

from http import HTTPStatus

import orjson
from flask import Flask, Response, render_template

from app.web.pages.negotiation import prefers_page
from app.web.problems import MEDIA_TYPE

# The members that every problem has; further ones are shown below them.
USUAL = frozenset({"type", "title", "status", "detail", "code", "requestId"})


def init_app(app: Flask) -> None:
    """Lets every problem become a page where a browser asks."""
    app.after_request(as_page)


def as_page(response: Response) -> Response:
    """Gives a problem document the form of a page if the caller prefers one; other responses stay as they are."""
    if response.mimetype != MEDIA_TYPE:
        return response
    response.vary.add("Accept")
    if prefers_page():
        problem = orjson.loads(response.get_data())
        further = {name: value for name, value in problem.items() if name not in USUAL}
        phrase = HTTPStatus(problem["status"]).phrase
        response.set_data(render_template("problem.html", problem=problem, further=further, phrase=phrase))
        response.mimetype = "text/html"
    return response
