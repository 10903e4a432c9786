"""Security headers of every page. Nothing is loaded from elsewhere, and text never becomes script or style."""

from collections.abc import Mapping

from flask import Flask, Response, g

HTML = "text/html"

# form-action: a form is read by its page's script; without the script, the browser would put its secrets into a URL.
# Trusted types: Chromium refuses every assignment through which text could become markup.
STRICT = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
# Swagger UI writes style attributes and makes markup of the descriptions in the document, which it cleans itself.
WITH_SWAGGER_UI = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": STRICT,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


def of_consent(form_targets: str = "") -> Mapping[str, str]:
    """The headers of a page on which an owner gives consent: no script, and forms that go here or are redirected to a
    target.

    Without Cross-Origin-Opener-Policy, since the page that has opened the window watches whether it is closed.
    """
    content = (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        f"form-action 'self' {form_targets}".rstrip(),
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    kept = {name: value for name, value in HEADERS.items() if name != "Cross-Origin-Opener-Policy"}
    return kept | {"Content-Security-Policy": "; ".join(content)}


def init_app(app: Flask) -> None:
    """Adds the headers to every response that is HTML, whichever route made it."""
    app.after_request(set_headers)


def set_headers(response: Response) -> Response:
    """Adds the headers that the view has not set itself: HEADERS, or those in g.page_headers."""
    if response.mimetype == HTML:
        for name, value in g.get("page_headers", HEADERS).items():
            response.headers.setdefault(name, value)
    return response
