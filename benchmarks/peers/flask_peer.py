"""Flask under gunicorn as it is written first: requests.get, in a pool made for each request, or one after another.

WAY is `pool` or `sequential`.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from flask import Flask, jsonify, request

from benchmarks.flows import VENDORS, public_ids, told_flows

FLOWS = told_flows()
CLOUDS, WAY = os.environ["CLOUDS"], os.environ["WAY"]
VERIFY: Any = os.environ.get("CA_FILE") or True
app = Flask(__name__)


def swept(vendor: str, headers: dict[str, str]) -> list[str]:
    flow, base = FLOWS[vendor], f"{CLOUDS}/{vendor}"

    def call(path: str) -> Any:
        return requests.request(flow.method, base + path, headers=headers, timeout=20, verify=VERIFY).json()

    sites = flow.site_ids(call(flow.list_path)) if flow.list_path else [""]
    if WAY == "pool" and len(sites) > 1:
        with ThreadPoolExecutor(32) as pool:
            found = list(pool.map(lambda site: call(flow.device_path.format(site)), sites))
    else:
        found = [call(flow.device_path.format(site)) for site in sites]
    return [inverter for answer in found for inverter in flow.inverter_ids(answer)]


@app.get("/solar-inverters")
def listed() -> Any:
    headers = {"Authorization": request.headers.get("Authorization", "")}
    asked = [vendor for vendor in VENDORS if f"X-Authorization-{vendor}" in request.headers]
    if WAY == "pool":
        with ThreadPoolExecutor(len(asked)) as pool:
            found = list(pool.map(lambda vendor: swept(vendor, headers), asked))
    else:
        found = [swept(vendor, headers) for vendor in asked]
    urls = [url for vendor, inverters in zip(asked, found, strict=True) for url in public_ids(vendor, inverters)]
    return jsonify({"solar-inverters": sorted(urls), "errors": {}})
