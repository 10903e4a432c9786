"""FastAPI with httpx, under uvicorn."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request

from benchmarks.flows import VENDORS, flows_from_environment, public_ids

FLOWS = flows_from_environment()
CLOUDS = os.environ["CLOUDS"]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=500)
    async with httpx.AsyncClient(verify=os.environ.get("CA_FILE") or True, limits=limits, timeout=20) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


async def sweep(client: httpx.AsyncClient, vendor: str, headers: dict[str, str]) -> list[str]:
    flow, base = FLOWS[vendor], f"{CLOUDS}/{vendor}"

    async def call(path: str) -> Any:
        return (await client.request(flow.method, base + path, headers=headers)).json()

    sites = flow.site_ids(await call(flow.list_path)) if flow.list_path else [""]
    answers = await asyncio.gather(*(call(flow.device_path.format(site)) for site in sites))
    return [inverter for answer in answers for inverter in flow.inverter_ids(answer)]


@app.get("/solar-inverters")
async def list_inverters(request: Request) -> dict[str, Any]:
    headers = {"Authorization": request.headers.get("Authorization", "")}
    vendors = [vendor for vendor in VENDORS if f"X-Authorization-{vendor}" in request.headers]
    sweeps = (sweep(app.state.client, vendor, headers) for vendor in vendors)
    swept_ids = await asyncio.gather(*sweeps, return_exceptions=True)
    urls: list[str] = []
    errors: dict[str, str] = {}
    for vendor, result in zip(vendors, swept_ids, strict=True):
        if isinstance(result, BaseException):
            errors[vendor] = type(result).__name__
        else:
            urls += public_ids(vendor, result)
    return {"solar-inverters": sorted(urls), "errors": errors}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
