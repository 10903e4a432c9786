"""What /openapi.json says beyond the routes of the API proper: authentication, the token endpoint, health."""

from collections.abc import Iterable, Mapping
from itertools import chain, product
from typing import Any

from app.api.context import VIRTUAL
from app.api.schemas.fields import VendorName
from vendors.kit.calls.cloud import Cloud

ANY_ERROR = {"$ref": "#/components/responses/DEFAULT_ERROR"}


def name_vendors(converter: Any, vendors: Iterable[str]) -> None:
    """Lists the names of vendors wherever a schema has one. For apispec's converter, before it meets a schema."""
    names = [*vendors, VIRTUAL]

    def enumerate_names(converter: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
        return {"enum": names} if isinstance(field, VendorName) else {}

    converter.add_attribute_function(enumerate_names)


def complete(spec: Any, clouds: Mapping[str, Cloud]) -> None:
    """Adds to the apispec document what flask-smorest cannot see."""
    spec.components.security_scheme(
        "derapi",
        {
            "type": "oauth2",
            "description": "A token of POST /oauth2/token, sent as `Authorization: Bearer <token>`.",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": {}}},
        },
    )
    # Any number of the vendors' headers may come together, which this format cannot say.
    security: list[dict[str, list[str]]] = [{"derapi": []}]
    for name, cloud in clouds.items():
        companions = cloud.vendor.credential_headers.companions.values()
        about = f"Your credential at {name}. Send one such header for each vendor to be asked."
        _add_header(spec, f"vendor-{name}", f"X-Authorization-{name}", about)
        for header in chain.from_iterable(companions):
            _add_header(spec, header, header, "A further part of a vendor's credential.")
        security += [{scheme: [] for scheme in ("derapi", f"vendor-{name}", *more)} for more in product(*companions)]
    spec.options |= {
        "paths": {"/oauth2/token": {"post": _token()}, "/health": {"get": _health()}},
        "security": security,
    }


def _add_header(spec: Any, scheme: str, header: str, description: str) -> None:
    """Adds a header of a credential; two vendors may share one."""
    if scheme not in spec.components.security_schemes:
        spec.components.security_scheme(
            scheme, {"type": "apiKey", "in": "header", "name": header, "description": description}
        )


def _token() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "operationId": "getToken",
        "summary": "Gives an access token for client id and secret (RFC 6749, client credentials).",
        "description": "The client authenticates by HTTP Basic or with client_id and client_secret in the form.",
        "security": [],
        "requestBody": {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "required": ["grant_type"],
                        "properties": {
                            "grant_type": {"type": "string", "const": "client_credentials"},
                            "client_id": text,
                            "client_secret": text,
                        },
                    }
                }
            },
        },
        "responses": {
            "200": _json(
                "The token.",
                {
                    "access_token": text,
                    "token_type": {"type": "string", "const": "Bearer"},
                    "expires_in": {"type": "integer", "description": "Seconds."},
                    "expires_at": {"type": "number", "description": "Epoch seconds."},
                },
            ),
            "400": _json("The request is not one for a token.", {"error": text, "error_description": text}),
            "401": _json("Unknown client or wrong secret.", {"error": text, "error_description": text}),
            "default": ANY_ERROR,
        },
    }


def _health() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "operationId": "getHealth",
        "summary": "Whether this process serves.",
        "security": [],
        "responses": {
            "200": _json("It does.", {"status": text, "version": text, "database": text}),
            "default": ANY_ERROR,
        },
    }


def _json(description: str, properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
