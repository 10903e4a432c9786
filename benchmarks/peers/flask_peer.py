"""Flask under gunicorn in its simplest form: requests.get, in a pool made for each request, or one after another.

WAY is `pool` or `sequential`.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from flask import Flask, jsonify, request

from benchmarks.flows import VENDORS, flows_from_environment, public_ids

FLOWS = flows_from_environment()
CLOUDS, WAY = os.environ["CLOUDS"], os.environ["WAY"]
VERIFY: Any = os.environ.get("CA_FILE") or True
app = Flask(__name__)


def sweep(vendor: str, headers: dict[str, str]) -> list[str]:
    flow, base = FLOWS[vendor], f"{CLOUDS}/{vendor}"

    def call(path: str) -> Any:
        return requests.request(flow.method, base + path, headers=headers, timeout=20, verify=VERIFY).json()

    sites = flow.site_ids(call(flow.list_path)) if flow.list_path else [""]
    if WAY == "pool" and len(sites) > 1:
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda site: call(flow.device_path.format(site)), sites))
    else:
        answers = [call(flow.device_path.format(site)) for site in sites]
    return [inverter for answer in answers for inverter in flow.inverter_ids(answer)]


@app.get("/solar-inverters")
def list_inverters() -> Any:
    headers = {"Authorization": request.headers.get("Authorization", "")}
    vendors = [vendor for vendor in VENDORS if f"X-Authorization-{vendor}" in request.headers]
    if WAY == "pool":
        with ThreadPoolExecutor(len(vendors)) as pool:
            swept_ids = list(pool.map(lambda vendor: sweep(vendor, headers), vendors))
    else:
        swept_ids = [sweep(vendor, headers) for vendor in vendors]
    urls = [url for vendor, inverters in zip(vendors, swept_ids, strict=True) for url in public_ids(vendor, inverters)]
    return jsonify({"solar-inverters": sorted(urls), "errors": {}})
