"""Clients for vendor clouds of solar inverters and batteries: one module per vendor, `kit` below them.

Knows nothing of the web service and reads no settings, so it works from a notebook as well:

    from vendors.kit.calls.cloud import open_cloud
    from vendors.kit.calls.reply_cache import ReplyCache
    from vendors.kit.deadline import Deadline
    from vendors.kit.http.transport import Transport
    from vendors.sma import Sma

    cloud = open_cloud("sma", Sma, Transport(), ReplyCache())
    vendor = cloud.open(Sma.credential_headers.read("sma", {"X-Authorization-sma": "Bearer ..."}), Deadline(20))
    for record in vendor.devices():
        print(record)
"""
