"""What /openapi.json says beyond the routes of the API proper: authentication, the token endpoint, health."""

from collections.abc import Iterable
from typing import Any

PROBLEM = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def complete(spec: Any, vendors: Iterable[str]) -> None:
    """Adds to the apispec document what flask-smorest cannot see."""
    spec.components.security_scheme(
        "derapi",
        {
            "type": "oauth2",
            "description": "A token of POST /oauth2/token, sent as `Authorization: Bearer <token>`.",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": {}}},
        },
    )
    for vendor in vendors:
        spec.components.security_scheme(
            f"vendor-{vendor}",
            {
                "type": "apiKey",
                "in": "header",
                "name": f"X-Authorization-{vendor}",
                "description": f"Your credential at {vendor}. Send one such header for each vendor to be asked.",
            },
        )
    spec.options |= {
        "paths": {"/oauth2/token": {"post": _token()}, "/health": {"get": _health()}},
        # Any number of the vendors' headers may come together, which this format cannot say.
        "security": [{"derapi": []}, *({"derapi": [], f"vendor-{vendor}": []} for vendor in vendors)],
    }


def _token() -> dict[str, Any]:
    text = {"type": "string"}
    return {
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
            "default": {"description": "Any other error."} | PROBLEM,
        },
    }


def _health() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "summary": "Whether this process serves.",
        "security": [],
        "responses": {"200": _json("It does.", {"status": text, "version": text, "database": text})},
    }


def _json(description: str, properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
