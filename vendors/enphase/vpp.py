"""Enphase Grid Services API (virtual power plants), version 1.1.

Credential: `X-Authorization-enphasevpp: Bearer <token>` (one hour) and `X-enphasevpp-api-key: <key>`, or else
`X-enphase-api-key`, sent on as `x-api-key`.
Calls for P programs and S sites: sites ceil(P / 100) + one per 100 sites of each program; devices as many + S; one
site as many as sites + 1, with batteries 4; one microinverter 3; one battery 4, the only one of its site 5 or 6;
intervals as in `vendors.enphase.api`, and as many as sites once an hour; an event made or ended 1, and once an hour 1
for the rules of its program; the events of a site 1 for 30 days and 100 events. No quota is published.
Quirks: the list of sites is ordered by program, and a site may stand in several. A program without sites answers 404.
Some 403 mean that a credential is bad. Without `sort_by` the newest systems come first. No call reports the lifetime
energy of a microinverter. Times of new events are UTC without an offset, and a repeated request makes a second event.
Source: https://vpp.enphaseenergy.com/auth/getApiSpec (July 2026).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from vendors.enphase.api import APPLICATION, PAGE_SIZE, EnphaseCloud
from vendors.enphase.control import CONTROL, LEAST_PERCENT, SIGNS, planned_events
from vendors.enphase.errors import grid_services_failure
from vendors.enphase.events import body_of, date_ranges, least_percent, page_of_events, to_accepted, words_of
from vendors.enphase.records import page_of, to_program, to_site
from vendors.kit import (
    Accepted,
    ClientCredentials,
    CredentialHeaders,
    Event,
    Freshness,
    Interval,
    Key,
    ListCalls,
    PlannedEvent,
    RawReply,
    Reply,
    Request,
    Site,
    SiteRow,
    SolarInverter,
    Variant,
    VendorError,
    bearer,
    find_record,
)

PROGRAMS = "/api/v1/programs"
SYSTEMS = "/api/v1/systems"
SEARCH = SYSTEMS + "/search/{}"
EVENTS = "/api/v2/events"

# The documentation names the base64 text alone; that this word stands before it is an assumption.
BASIC = "Basic "
TOKENS = ClientCredentials(
    {"enphasevpp": "https://vpp.enphaseenergy.com/auth/oauth2/token"}, authorization=BASIC, grant_in_query=True
)


class EnphaseVpp(EnphaseCloud):
    hosts = {"enphasevpp": {"main": "https://vpp.enphaseenergy.com"}}
    no_consent = "Owners enrol in programs of Enphase VPP, which this server does not offer."
    credential_headers = CredentialHeaders(bearer, {"key": ("X-enphasevpp-api-key", "X-enphase-api-key")})
    variants = (Variant("vpp", APPLICATION, TOKENS),)
    list_calls = ListCalls(
        "1 for every 100 programs, and 1 for every 100 sites of each program",
        "1 for every 100 programs, 1 for every 100 sites of each program, and 1 for each site",
    )
    lacks = frozenset({
        "site.latitude", "site.longitude", "site.utc_offset_hours", "site.bess.mode", "solar_inverter.rated_power_kw",
        "solar_inverter.lifetime_production", "solar_intervals.month", "battery.kind", "battery.rated_power_kw",
        "battery.recent_errors",
    })  # fmt: skip

    control = CONTROL
    systems = SYSTEMS
    lifetime = "/production_lifetime"
    events = "/site_open_events"
    settings = SYSTEMS + "/{}/battery_settings"
    # Sites may be configured for rows of 5 minutes.
    quarters = {"interval_duration": "15mins"}

    def sign(self, request: Request) -> None:
        super().sign(request)
        request.headers["x-api-key"] = self.credential["key"]
        if request.body is not None:
            request.headers["Content-Type"] = "application/json"

    def failure(self, reply: Reply, request: Request) -> VendorError | RawReply | None:
        return grid_services_failure(reply, request)

    def sites(self) -> Iterator[SiteRow]:
        programs = list(self.client.pages(self._page_of_programs))
        seen: set[Key] = set()
        for row in self.client.each(programs, self._sites_of, unit="programs"):
            if row.key not in seen:
                seen.add(row.key)
                yield row

    def check_credential(self) -> None:
        self._page_of_programs(1)

    def _page_of_programs(self, number: int) -> tuple[list[str], bool]:
        reply = self.client.get(PROGRAMS, params={"page_no": number, "page_size": PAGE_SIZE})
        return page_of(reply, "programs", to_program, read=number * PAGE_SIZE, total="total_count")

    def _sites_of(self, program: str) -> list[SiteRow]:
        return list(self.client.pages(lambda number: self._page_of_sites(program, number)))

    def _page_of_sites(self, program: str, number: int) -> tuple[list[SiteRow], bool]:
        reply = self.client.get(SEARCH, program, params={"page": number, "size": PAGE_SIZE, "sort_by": "id"})
        return page_of(reply, "systems", to_site, read=number * PAGE_SIZE, total="total")

    def _known_site(self, key: Key) -> Site:
        return find_record(self.sites(), Site, key)

    @classmethod
    def planned_events(cls, interval: Interval, now: datetime) -> list[PlannedEvent]:
        return planned_events(interval, now)

    def control_programs(self, key: Key) -> list[str]:
        # One after the other: a program that fails must not be left out.
        programs = self.client.pages(self._page_of_programs)
        return [program for program in programs if any(row.vendor_id == key[0] for row in self._sites_of(program))]

    def control_events(self, key: Key, program: str | None, start: datetime, end: datetime) -> list[Event]:
        programs = self.control_programs(key) if program is None else [program]
        shown: dict[str, Event] = {}
        for name in programs:
            for dates in date_ranges(start, end):
                query = {"program_id": name, "site_id": key[0], **dates}
                pages = self.client.pages(partial(self._page_of_events, key[0], query))
                shown |= {event.id: event for event in pages if event.start < end and start < event.end}
        return list(shown.values())

    def _page_of_events(self, site: str, query: Mapping[str, str], number: int) -> tuple[list[Event], bool]:
        params: dict[str, str | int] = {**query, "page_no": number, "page_size": PAGE_SIZE}
        reply = self.client.get(EVENTS, params=params, freshness=Freshness.UNCACHED)
        return reply.record(partial(page_of_events, site, number * PAGE_SIZE))

    def add_control_event(self, key: Key, program: str | None, planned: PlannedEvent) -> Accepted:
        least = LEAST_PERCENT
        if program and planned.limit_percent is None and SIGNS[planned.mode] > 0:
            least = self.client.get(PROGRAMS + "/{}", program).record(least_percent)
        body = body_of(key[0], program, planned, least, self.client.now)
        accepted = partial(to_accepted, planned)
        return self.client.write("POST", EVENTS, body=body, read=lambda reply: reply.record(accepted))

    def end_control_event(self, key: Key, program: str | None, event: str) -> str:
        return self.client.write("DELETE", EVENTS + "/{}", event, read=words_of)

    def solar_inverter(self, key: Key) -> SolarInverter:
        return self._with_day(self._device(key, SolarInverter)[0])
