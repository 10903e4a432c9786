"""Routes of the pages and their assets. They are not part of the API: /openapi.json does not list them."""

from collections.abc import Callable, Mapping

from flask import Blueprint, Flask, Response, abort, jsonify, make_response, render_template, request

from app.web import guards
from app.web.pages import assets, first_page, policy, problem_page, vendor_headers
from app.web.pages.negotiation import prefers_page
from vendors.kit.calls.cloud import Cloud

KEPT_FOREVER = "public, max-age=31536000, immutable"


class Pages:
    """The pages of one application.

    public_url: the service's URL as its users see it, if it has one. state: the state of this process and of what it
    needs, as /health shows it.
    """

    def __init__(
        self, public_url: str | None, clouds: Mapping[str, Cloud], state: Callable[[], dict[str, str]]
    ) -> None:
        self._public_url, self._state = public_url, state
        self._vendors = vendor_headers.of_clouds(clouds)
        self._assets = assets.load()
        self._modules = [name for name in self._assets.by_path if name.startswith("fleet/")]

    def init_app(self, app: Flask) -> None:
        """Registers the routes, the headers of every page, and errors as pages."""
        blueprint = Blueprint("Pages", __name__, template_folder="templates")
        blueprint.add_url_rule("/", "first", self.first, methods=["GET"])
        blueprint.add_url_rule("/fleet", "fleet", self.fleet, methods=["GET"])
        blueprint.add_url_rule("/apidocs/", "reference", self.reference, methods=["GET"])
        blueprint.add_url_rule("/assets/<digest>/<path:name>", "asset", self.asset, methods=["GET"])
        blueprint.app_context_processor(lambda: {"asset": self.asset_url, "root": root()})
        policy.init_app(app)
        # Registered later and hence called earlier: first the page is made, then it gets its headers.
        problem_page.init_app(app)
        app.register_blueprint(blueprint)

    def first(self) -> Response:
        """The first page; programs get the same facts as JSON."""
        facts = first_page.facts(guards.base_url(self._public_url), self._state(), self._vendors)
        response = make_response(render_template("first.html", **facts)) if prefers_page() else jsonify(facts)
        response.vary.add("Accept")
        return response

    def fleet(self) -> str:
        """The operator's view; its script reads the public API."""
        return render_template("fleet.html", vendors=self._vendors, modules=self._modules)

    def reference(self) -> Response:
        """The API reference, from which requests can be sent."""
        response = make_response(render_template("reference.html"))
        response.headers["Content-Security-Policy"] = policy.WITH_SWAGGER_UI
        return response

    def asset(self, digest: str, name: str) -> Response:
        """A script, style or picture."""
        asset = self._assets.by_path.get(name)
        if asset is None or digest != self._assets.digest:
            abort(404)
        headers = {"Cache-Control": KEPT_FOREVER, "Vary": "Accept-Encoding"}
        if not request.accept_encodings["gzip"]:
            return Response(asset.content, content_type=asset.content_type, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(asset.compressed, content_type=asset.content_type, headers=headers)

    def asset_url(self, name: str) -> str:
        """The URL of an asset, for templates."""
        if name not in self._assets.by_path:
            raise KeyError(name)
        return f"{root()}assets/{self._assets.digest}/{name}"


def root() -> str:
    """The way from the requested page to the first one: relative, since a proxy may have a path before it."""
    return "../" * (request.path.count("/") - 1) or "./"
