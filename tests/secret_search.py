"""Sentinels that stand for secrets, and the search for them in all that the service puts out."""

import base64
from dataclasses import fields, replace
from urllib.parse import quote, quote_plus

from app.config import Settings


class Sentinels:
    """Secrets by name. Each is found as it is, percent-encoded, in base64 and in hexadecimal."""

    def __init__(self):
        self._forms = {}

    def add(self, name, secret):
        """A secret to look for; returns it."""
        assert len(secret) >= 12, f"{name} is too short to be told from other text"
        raw = secret.encode()
        forms = {secret, quote(secret, safe=""), quote_plus(secret), raw.hex(), repr(secret)[1:-1]}
        # In base64 the text depends on how many bytes precede: whole groups of three are the same in each case.
        forms |= {base64.b64encode(raw[shift : shift + (len(raw) - shift) // 3 * 3]).decode() for shift in range(3)}
        for form in forms:
            self._forms[form.lower()] = name
        return secret

    def new(self, name):
        """A made-up secret."""
        return self.add(name, f"sentinel-{name}-0123456789-of-{len(self._forms):04}-{'x' * 12}".replace(" ", "-"))

    def names(self):
        return set(self._forms.values())

    def found_in(self, output, except_for=()):
        """The names of the secrets that occur in a text, or in bytes."""
        text = output if isinstance(output, str) else output.decode("latin-1")
        text = text.lower()
        return {name for form, name in self._forms.items() if form in text and name not in except_for}


def with_sentinels(settings, sentinels, **others):
    """The settings with a sentinel in each that is secret; `others` has those that may not be any text."""
    secret = {setting.name: setting.metadata for setting in fields(Settings) if setting.metadata.get("secret")}
    for keys in ("secret_keys", "credential_keys"):
        others[keys] = (sentinels.new(keys), sentinels.new(f"former of {keys}"))
    values = {
        name: sentinels.new(name) for name, description in secret.items() if description["kind"] == "str"
    } | others
    missing = secret.keys() - values.keys() - {"database_url"}
    assert not missing, f"give {missing} a value with a sentinel"
    return replace(settings, **values)
