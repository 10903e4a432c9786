"""Callers of the sandbox's clouds, written after the vendors' documents and sharing no code with the sandbox."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from email.utils import formatdate
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

VENDORS = ("sma", "smasbox", "solaredge", "solis", "tesla")

LISTS = {"sma": "/v1/plants", "smasbox": "/v1/plants", "solaredge": "/v2/sites", "tesla": "/api/1/products"}


class Clocks:
    """The real time and the ticks that a sandbox runs by, moved by hand."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.ticks = 1000.0

    def real_time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.ticks

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.ticks += seconds


class Caller:
    """Calls each cloud with the credential that `GET /` hands out."""

    def __init__(self, http: FlaskClient, clocks: Clocks) -> None:
        self.http = http
        self.clocks = clocks
        self.vendors: dict[str, Any] = http.get("/").json["vendors"]  # type: ignore[index]

    def header(self, vendor: str) -> str:
        """The value of the vendor's access header."""
        return str(self.vendors[vendor]["headers"][f"X-Authorization-{vendor}"])

    def get(self, vendor: str, path: str, **query: Any) -> TestResponse:
        """A GET of a path below the vendor's base; for SMA, SolarEdge and Tesla."""
        name = "X-API-Key" if vendor == "solaredge" else "Authorization"
        return self.http.get(f"/{vendor}{path}", headers={name: self.header(vendor)}, query_string=query)

    def solis(self, name: str, **body: Any) -> TestResponse:
        """A signed call of Solis."""
        return self.signed(f"/v1/api/{name}", json.dumps(body, separators=(",", ":")).encode())

    def signed(self, path: str, body: bytes, **changes: str) -> TestResponse:
        """A signed call, some of whose headers may be changed after signing."""
        headers = {**self.signed_headers(path, body), **changes}
        return self.http.post(f"/solis{path}", data=body, headers=headers)

    def signed_headers(self, path: str, body: bytes) -> dict[str, str]:
        """The headers of a call of Solis at this moment."""
        key, secret = b64decode(self.header("solis").removeprefix("Basic ")).decode().split(":")
        content_md5 = b64encode(hashlib.md5(body).digest()).decode()
        date = formatdate(self.clocks.now, usegmt=True)
        text = f"POST\n{content_md5}\napplication/json\n{date}\n{path}"
        sign = b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
        return {
            "Content-MD5": content_md5,
            "Content-Type": "application/json",
            "Date": date,
            "Authorization": f"API {key}:{sign}",
        }

    def any_list(self, vendor: str) -> TestResponse:
        """The cheapest call of the vendor's API."""
        if vendor == "solis":
            return self.solis("inverterList", pageSize=100)
        return self.get(vendor, LISTS[vendor])

    def truth(self) -> dict[str, Any]:
        """The fleet and its views."""
        answer: dict[str, Any] = self.http.get("/truth").json  # type: ignore[assignment]
        return answer

    def energy_wh(self, **query: Any) -> float:
        """Exact energy."""
        answer = self.http.get("/truth/energy", query_string=query)
        assert answer.status_code == 200, answer.text
        return float(answer.json["wh"])  # type: ignore[index]

    def state(self, **query: Any) -> dict[str, Any]:
        """Exact powers and charge."""
        answer = self.http.get("/truth/state", query_string=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json)  # type: ignore[arg-type]

    def set_clock(self, now: str | None) -> None:
        """Sets the time of the fleet's data."""
        assert self.http.put("/clock", json={"now": now}).status_code == 200
