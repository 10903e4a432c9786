"""Pages for people: the first page, the API reference, the fleet view, and errors in a browser.

The pages hold no data: what they show, their scripts read from the public API, like any other client.
"""
