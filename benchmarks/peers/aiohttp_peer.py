"""aiohttp on uvloop, server and client: one process."""

import asyncio
import os
import ssl
import sys

import aiohttp
import orjson
import uvloop
from aiohttp import web

from benchmarks.flows import VENDORS, flows_from_environment, public_ids

FLOWS = flows_from_environment()
CLOUDS = os.environ["CLOUDS"]
SESSION = web.AppKey("session", aiohttp.ClientSession)


async def sweep(session: aiohttp.ClientSession, vendor: str, headers: dict[str, str]) -> list[str]:
    flow, base = FLOWS[vendor], f"{CLOUDS}/{vendor}"

    async def call(path: str) -> object:
        async with session.request(flow.method, base + path, headers=headers) as answer:
            return orjson.loads(await answer.read())

    sites = flow.site_ids(await call(flow.list_path)) if flow.list_path else [""]
    answers = await asyncio.gather(*(call(flow.device_path.format(site)) for site in sites))
    return [inverter for answer in answers for inverter in flow.inverter_ids(answer)]


async def list_inverters(request: web.Request) -> web.Response:
    headers = {"Authorization": request.headers.get("Authorization", "")}
    session = request.app[SESSION]
    vendors = [vendor for vendor in VENDORS if f"X-Authorization-{vendor}" in request.headers]
    swept_ids = await asyncio.gather(*(sweep(session, vendor, headers) for vendor in vendors), return_exceptions=True)
    urls, errors = [], {}
    for vendor, result in zip(vendors, swept_ids, strict=True):
        if isinstance(result, BaseException):
            errors[vendor] = type(result).__name__
        else:
            urls += public_ids(vendor, result)
    body = orjson.dumps({"solar-inverters": sorted(urls), "errors": errors})
    return web.Response(body=body, content_type="application/json")


async def make_app() -> web.Application:
    app = web.Application()
    context = ssl.create_default_context(cafile=os.environ["CA_FILE"]) if os.environ.get("CA_FILE") else False
    timeout = aiohttp.ClientTimeout(total=20)

    async def session(app: web.Application):
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=context), timeout=timeout
        ) as opened:
            app[SESSION] = opened
            yield

    app.cleanup_ctx.append(session)
    app.router.add_get("/solar-inverters", list_inverters)
    return app


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    web.run_app(make_app(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
