"""The vendor clouds of this process, made from the plugins that are found and the settings."""

from app.config import Settings, SettingsError
from vendors.kit import Cloud, Replies, Transport, open_cloud
from vendors.kit.registry import NameTaken, discover


def clouds(settings: Settings) -> dict[str, Cloud]:
    """Vendor name -> cloud. VENDOR_URL_<NAME> goes before SANDBOX_URL, which goes before the public addresses.

    Raises SettingsError when two plugins claim one name, and for the URL of a vendor that does not exist: its
    credentials would go elsewhere.
    """
    try:
        vendors = discover()
    except NameTaken as error:
        raise SettingsError(str(error)) from error
    unknown = [name for name in settings.vendor_urls if name not in vendors]
    if unknown:
        lines = [f"  VENDOR_URL_{name.upper()}: there is no such vendor, only {', '.join(vendors)}" for name in unknown]
        raise SettingsError("\n".join(["These settings must be corrected:", *lines]))
    replies = Replies()
    found: dict[str, Cloud] = {}
    for name, vendor in vendors.items():
        base_url = settings.vendor_urls.get(name) or (settings.sandbox_url and f"{settings.sandbox_url}/{name}")
        # One transport for each, so that a vendor's connections and faults stay its own.
        transport = Transport(settings.proxy_url or "", settings.vendor_ca_file or "")
        found[name] = open_cloud(name, vendor, transport, replies, base_url or "")
    return found
