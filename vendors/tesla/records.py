"""Tesla's lists as sites, inverters and batteries: products, and the components of a site."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vendors.kit import AnyDevice, Battery, DeviceRow, ListRow, Reply, Site, SiteRow, SolarInverter, unique
from vendors.kit.parsing.reading import Raw, as_object, check_id, flag, mapping, optional_text, rating, text

# A battery with an inverter for solar modules inside. It is listed with the gateways, and may be listed as battery and
# as inverter too.
HYBRID = "powerwall3"
# Name of expansion packs. They have no ratings: the rating of the Powerwall 3 that they extend includes them.
PACK = "Unknown"
LISTS = ("gateways", "inverters", "batteries")
# In Wh and W, the members of gateways first; a gateway's Wh are in a member named watts.
ENERGIES = ("nameplate_energy_watts", "nameplate_energy")
POWERS = ("nameplate_power_watts", "nameplate_max_discharge_power")


def response_of(site: str, raw: Raw) -> Raw:
    """The response in an answer; raises WrongRecord if it is about another site."""
    response = as_object(raw["response"])
    check_id(response, "energy_site_id", site)
    return response


def to_site(raw: Raw) -> SiteRow | None:
    """Site from a product; None for vehicles and for electricity contracts. Its time zone is in the detail only."""
    if "energy_site_id" not in raw or not has_equipment(raw):
        return None
    return Site.listed(text(raw, "energy_site_id"), of_site, raw)


def of_site(raw: Raw) -> dict[str, Any]:
    return {"name": optional_text(raw, "site_name") or text(raw, "energy_site_id")}


def to_id_with_devices(raw: Raw) -> str | None:
    """Id of a product whose `site_info` is worth its price: a site with solar or battery."""
    components = mapping(raw, "components")
    has_devices = "energy_site_id" in raw and (components.get("solar") or components.get("battery"))
    return text(raw, "energy_site_id") if has_devices else None


def has_equipment(raw: Raw) -> bool:
    components = mapping(raw, "components")
    return bool(components.get("solar") or components.get("battery") or components.get("wall_connectors"))


def devices_of(reply: Reply, site: str, info: Raw) -> list[DeviceRow]:
    """The devices in an answer of `site_info`, each once: a unit may be in several lists."""
    components = reply.record(lambda _: as_object(info["components"]))
    parts = parts_of(components)

    def listed(name: str, to: Callable[[str, Raw], ListRow[AnyDevice] | None]) -> list[ListRow[AnyDevice]]:
        path = ("response", "components", name)
        return reply.rows(*path, to=lambda raw: to(site, whole(parts, raw)), optional=True)

    with_packs = [*listed("batteries", to_battery), *listed("gateways", to_gateway_battery)]
    batteries, inverters = without_packs(with_packs), []
    if components.get("solar"):
        hybrids = [*listed("batteries", to_hybrid), *listed("gateways", to_hybrid)]
        inverters = [*listed("inverters", to_inverter), *hybrids]
        if not inverters and not components.get("inverters"):
            inverters = [synthetic_inverter(site, info)]
    if components.get("battery") and not batteries and (with_packs or not components.get("batteries")):
        batteries = [synthetic_battery(site, info)]
    return unique([*inverters, *batteries])


def parts_of(components: Raw) -> dict[str, Raw]:
    """Each part with the members that it has in any list, by its DIN, and by its device id unless several DINs share
    it."""
    arrays = (components.get(name) for name in LISTS)
    listed = [raw for array in arrays if isinstance(array, list) for raw in array if isinstance(raw, Mapping)]
    dins = dins_of(listed)
    parts: dict[str, Raw] = {}
    for raw in listed:
        device_id = optional_text(raw, "device_id") or ""
        if key := optional_text(raw, "din") or dins.get(device_id, device_id):
            members = {member: value for member, value in raw.items() if value or value is False}
            parts[key] = {**parts.get(key, {}), **members}
    return parts | {device_id: parts[din] for device_id, din in dins.items()}


def dins_of(listed: Sequence[Raw]) -> dict[str, str]:
    """The DIN of each device id, since a list may have the id alone; none where several DINs share the id."""
    pairs = {(optional_text(raw, "device_id"), optional_text(raw, "din")) for raw in listed}
    known = [(device_id, din) for device_id, din in pairs if device_id and din]
    shares = Counter(device_id for device_id, _ in known)
    return {device_id: din for device_id, din in known if shares[device_id] == 1}


def whole(parts: Mapping[str, Raw], raw: Raw) -> Raw:
    """A row of a list with the members that the same part has in other lists."""
    return parts.get(optional_text(raw, "din") or optional_text(raw, "device_id") or "", raw)


def to_inverter(site: str, raw: Raw) -> ListRow[SolarInverter] | None:
    """Solar inverter from a component; None when it is no longer active."""
    if flag(raw, "is_active") is False:
        return None
    device = din(raw)
    return SolarInverter.listed((site, device), device, site, of_inverter, raw)


def to_hybrid(site: str, raw: Raw) -> ListRow[SolarInverter] | None:
    """The inverter inside a Powerwall 3; None for other batteries and gateways."""
    return to_inverter(site, raw) if is_hybrid(raw) else None


def to_battery(site: str, raw: Raw) -> ListRow[Battery] | None:
    """Battery from a component; None when it is no longer active."""
    if flag(raw, "is_active") is False:
        return None
    device = din(raw)
    return Battery.listed((site, device), device, site, of_battery, raw)


def to_gateway_battery(site: str, raw: Raw) -> ListRow[Battery] | None:
    """The battery of a gateway that is a Powerwall 3 or has a capacity; None for a mere gateway."""
    return to_battery(site, raw) if is_hybrid(raw) or rating(raw, *ENERGIES) else None


def is_hybrid(raw: Raw) -> bool:
    """Samples have the model's name with a blank and without."""
    return HYBRID in (optional_text(raw, "part_name") or "").lower().replace(" ", "")


def without_packs(batteries: Sequence[ListRow[Battery]]) -> list[ListRow[Battery]]:
    """The batteries without expansion packs, where all other batteries are Powerwall 3s or there is none."""
    units = [battery for battery in batteries if not is_pack(battery)]
    return units if all(is_hybrid(battery.raw) for battery in units) else list(batteries)


def is_pack(battery: ListRow[Battery]) -> bool:
    raw = battery.raw
    return optional_text(raw, "part_name") == PACK and not rating(raw, *ENERGIES) and not rating(raw, *POWERS)


def synthetic_inverter(site: str, info: Raw) -> ListRow[SolarInverter]:
    """The device that represents all inverters of a site where they are not listed."""
    return SolarInverter.listed((site,), site, site, lambda _: {"kind": "synthetic"}, info)


def synthetic_battery(site: str, info: Raw) -> ListRow[Battery]:
    """The device that represents all batteries of a site where they are not listed."""
    return Battery.listed((site,), site, site, of_synthetic_battery, info)


def of_synthetic_battery(info: Raw) -> dict[str, Any]:
    return {
        "kind": "synthetic",
        "nameplate_kwh": rating(info, "nameplate_energy"),
        "rated_power_kw": rating(info, "nameplate_power"),
    }


def din(raw: Raw) -> str:
    """Identity of a device: its DIN, or its device id in answers without a DIN."""
    return optional_text(raw, "din") or text(raw, "device_id")


def of_device(raw: Raw) -> dict[str, Any]:
    return {
        "serial_number": optional_text(raw, "serial_number") or din(raw).partition("--")[2],
        "model": optional_text(raw, "part_name") or "",
        "kind": "hybrid" if is_hybrid(raw) else None,
    }


def of_inverter(raw: Raw) -> dict[str, Any]:
    """Only a Powerwall 3 among the gateways has a rating."""
    return of_device(raw) | {"rated_power_kw": rating(raw, POWERS[0])}


def of_battery(raw: Raw) -> dict[str, Any]:
    return of_device(raw) | {"nameplate_kwh": rating(raw, *ENERGIES), "rated_power_kw": rating(raw, *POWERS)}
