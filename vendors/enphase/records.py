"""Systems and devices of both APIs of Enphase, as records.

Microinverters are the solar inverters; `encharges` (IQ Battery) and `acbs` (the older AC Battery) are the batteries.
No device reports a rating or a capacity. The ids of AC Batteries repeat, so devices are keyed on system and
serial number.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from vendors.kit import (
    ANY,
    AnyDevice,
    Battery,
    Convert,
    DeviceRow,
    ListRow,
    Reply,
    Shape,
    Site,
    SiteRow,
    SolarInverter,
    Status,
    unique,
)
from vendors.kit.parsing.reading import Raw, check_id, epoch, flag, optional_text, rows, text, zone_name

T = TypeVar("T")

INVERTERS = "micros"
ENCHARGES = "encharges"
BATTERIES = (ENCHARGES, "acbs")
DEVICE = ("id", "serial_number", "status", "active", "model", "product_name", "name")
DEVICES = Shape({"system_id": ANY, "devices": {kind: [DEVICE] for kind in (INVERTERS, *BATTERIES)}})
# Systems and devices of these kinds are no longer in service.
RETIRED = frozenset({"retired", "deactivated", "unused"})
# By the vendor's words in lower case. Several more words end in ISSUE.
STATUSES = {
    "normal": Status.NORMAL,
    "comm": Status.OFFLINE,
    "micro": Status.OFFLINE,
    "battery": Status.OFFLINE,
    "encharge": Status.OFFLINE,
    "nsr": Status.OFFLINE,
    "power": Status.WARNING,
    "warning": Status.WARNING,
    "error": Status.FAULT,
}
ISSUE = "_issue"


def page_of(reply: Reply, listed: str, to: Callable[[Raw], T | None], *, read: int, total: str) -> tuple[list[T], bool]:
    """The rows of a page, and whether more than have been `read` so far are left, by the total that the page names."""
    more = reply.record(lambda raw: bool(raw[listed]) and read < int(raw[total]))
    return reply.rows(listed, to=to), more


def check_ids(ids: tuple[str, ...], raw: Raw) -> None:
    """Raises WrongRecord if the reply is about another system than the first id, or another device than the second."""
    for name, id in zip(("system_id", "serial_number"), ids, strict=False):
        check_id(raw, name, id)


def to_program(raw: Raw) -> str:
    """The id of a program of the Grid Services API: any text, also with blanks."""
    return text(raw, "program_id")


def to_site(raw: Raw) -> SiteRow | None:
    """Site from an entry of the list of systems; None when it is retired. Times are epoch seconds."""
    if is_retired(raw):
        return None
    return Site.listed(text(raw, "system_id"), of_site, raw)


def of_site(raw: Raw) -> dict[str, Any]:
    return {
        "name": optional_text(raw, "name") or text(raw, "system_id"),
        "timezone": zone_name(raw, "timezone"),
        "operational_since": epoch(raw, "operational_at"),
    }


def devices_of(system: str, reply: Reply) -> list[DeviceRow]:
    """The devices in a reply of `/devices`, each once; a type that the system does not have is absent there."""

    def to_device(kind: type[AnyDevice], convert: Convert, raw: Raw) -> ListRow[AnyDevice] | None:
        if is_retired(raw):
            return None
        serial_number = text(raw, "serial_number")
        return kind.listed((system, serial_number), serial_number, system, convert, raw)

    to_inverter, to_battery = partial(to_device, SolarInverter, of_inverter), partial(to_device, Battery, of_device)
    rows: list[DeviceRow] = [*reply.rows("devices", INVERTERS, to=to_inverter, optional=True)]
    for kind in BATTERIES:
        rows += reply.rows("devices", kind, to=to_battery, optional=True)
    return unique(rows)


def is_retired(raw: Raw) -> bool:
    return flag(raw, "active") is False or (optional_text(raw, "status") or "").lower() in RETIRED


def of_device(raw: Raw) -> dict[str, Any]:
    """For batteries `model` is empty, and the name of the product stands for it."""
    word = optional_text(raw, "status")
    return {
        "serial_number": text(raw, "serial_number"),
        "model": optional_text(raw, "model") or optional_text(raw, "product_name") or "",
        "name": optional_text(raw, "name"),
        "status": to_status(word),
        "vendor_status": word,
    }


def of_inverter(raw: Raw) -> dict[str, Any]:
    return of_device(raw) | {"kind": "micro"}


def to_status(word: str | None) -> Status | None:
    """Status for Enphase's word; None without a word."""
    if word is None:
        return None
    if word.lower().endswith(ISSUE):
        return Status.WARNING
    return STATUSES.get(word.lower(), Status.UNKNOWN)


def is_alone(devices: list[DeviceRow]) -> bool:
    """Whether there is exactly one battery."""
    return sum(row.kind is Battery for row in devices) == 1


def encharge_id(serial_number: str, raw: Raw) -> str | None:
    """The number that an IQ Battery has in `latest_telemetry`, from a reply of `/devices`; None for other devices."""
    return next(
        (
            optional_text(device, "id")
            for device in of_type(raw, ENCHARGES)
            if optional_text(device, "serial_number") == serial_number
        ),
        None,
    )


def encharge_ids(raw: Raw) -> set[str | None]:
    """The numbers of all IQ Batteries in service, from a reply of `/devices`."""
    return {optional_text(device, "id") for device in of_type(raw, ENCHARGES)}


def has_production_meter(raw: Raw) -> bool:
    """Whether Enphase counts a system's production with a meter, from a reply of `/devices`."""
    return any(
        (optional_text(meter, "config_type") or "").lower() == "production"
        and (optional_text(meter, "state") or "").lower() == "enabled"
        for meter in of_type(raw, "meters")
    )


def of_type(raw: Raw, kind: str) -> Iterable[Raw]:
    """The devices of a type that are in service."""
    listed = rows(raw, "devices", kind, optional=True)
    return (device for device in listed if isinstance(device, dict) and not is_retired(device))
