"""Makes a vendor's credential from the `X-Authorization-<vendor>` headers of a request.

A plugin declares `credential_headers = CredentialHeaders(bearer)`, or with `basic` or its own function, and the
companion headers that it needs. The characters and lengths of the values have already been checked.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from vendors.kit.errors import Unauthorized
from vendors.kit.variants import CLIENT_ID, TOKEN, Variant

Scheme = Callable[[str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class StoredRow:
    """The row of a stored credential, and the client that stored it."""

    client: str
    id: str
    name: str
    """The client's name for it, which errors show."""
    is_grant: bool = False
    """Whether an owner of devices has granted it."""


class Credential:
    """A caller's credential for a vendor. Its parts are read as from a dict; its repr shows none of them.

    row: of a stored credential. What is reused is then keyed by the row, since its access token changes every few
    minutes, and two clients that store the same secret must not see each other's replies.
    variant: the form in which it is stored; None for headers.
    granted: the parts that came with the consent of an owner; None if it is no grant.
    region: of the owner's account, if it is known.
    """

    __slots__ = ("_parts", "_token", "granted", "region", "row", "variant")

    def __init__(
        self,
        parts: Mapping[str, str],
        row: StoredRow | None = None,
        variant: Variant | None = None,
        token: str = "",
        granted: Mapping[str, str] | None = None,
        region: str | None = None,
    ) -> None:
        self._parts, self.row, self.variant, self._token = {**parts, **(granted or {})}, row, variant, token
        self.granted, self.region = granted, region

    @classmethod
    def stored(
        cls,
        variant: Variant,
        members: Mapping[str, str],
        row: StoredRow | None = None,
        granted: Mapping[str, str] | None = None,
        region: str | None = None,
    ) -> "Credential":
        """The credential that a variant's secret members make, by their public names.

        granted: of a grant, the parts that came with the owner's consent (`Granted.parts`), which may be none.
        """
        parts = {part: members[name] for name, part in variant.members.items()}
        return cls(parts, row, variant, granted=granted, region=region)

    def with_token(self, access: str) -> "Credential":
        """The same credential with an access token as its part `token`; its fingerprint and group stay the same."""
        return Credential(self._parts, self.row, self.variant, access, self.granted, self.region)

    def opened(self, access: str, parts: Mapping[str, str], region: str | None = None) -> "Credential":
        """The credential with an access token of this application that no store knows, as if it came in a header."""
        return Credential({**self._parts, **parts, TOKEN: access}, region=region)

    @property
    def lacks_consent(self) -> bool:
        """Whether it opens nothing until the owner of the devices has given consent."""
        return self.granted is None and self.variant is not None and self.variant.needs_consent

    @property
    def has_tokens(self) -> bool:
        """Whether the service gets its access tokens."""
        return self.variant is not None and self.variant.token_grant is not None

    def __getitem__(self, name: str) -> str:
        return self._token if self._token and name == TOKEN else self._parts[name]

    def get(self, name: str) -> str | None:
        return self._token if self._token and name == TOKEN else self._parts.get(name)

    def __repr__(self) -> str:
        return "<Credential>"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every part, for redaction."""
        return (*self._parts.values(), self._token) if self._token else tuple(self._parts.values())

    def fingerprint(self, key: bytes) -> bytes:
        """A keyed hash of all parts, and of a stored credential's row: equal for equal credentials, useless without the
        key. An access token changes nothing in it; after a change of the stored secrets, which may open another
        account, nothing is reused."""
        parts = self.parts_hash(key)
        if self.row is not None:
            return _hash(key, {"client": self.row.client, "row": self.row.id, "parts": parts.hex()})
        return parts

    def parts_hash(self, key: bytes) -> bytes:
        """A keyed hash of all parts, the access token left out."""
        return _hash(key, self._parts)

    def group(self, key: bytes, parts: tuple[str, ...] = ()) -> bytes:
        """A keyed hash of the named parts, or of all parts: equal for credentials that share a vendor's quota, in
        whatever way they came here. If the service gets the access token, the client's id stands for all parts."""
        parts = self.group_parts(parts)
        return _hash(key, {name: value for name, value in self._parts.items() if not parts or name in parts})

    def group_parts(self, parts: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The parts that make the group; none if all do."""
        if not parts and self.has_tokens:
            return (CLIENT_ID,)
        return parts


def _hash(key: bytes, parts: Mapping[str, str]) -> bytes:
    digest = blake2b(key=key, digest_size=16)
    for name, value in sorted(parts.items()):
        for part in (name.encode(), value.encode()):
            digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()


class CredentialHeaders:
    """The headers that make a vendor's credential.

    scheme: turns the value of `X-Authorization-<vendor>` into parts. Raises ValueError with the expected form, in words
    that contain no part of the value.
    companions: the header names of each further part, which is required; the first header that is present counts.
    """

    def __init__(self, scheme: Scheme, companions: Mapping[str, Sequence[str]] | None = None) -> None:
        self.scheme = scheme
        self.companions = companions or {}

    def read(self, vendor: str, headers: Mapping[str, str]) -> Credential:
        """The credential; header names are case-insensitive. Raises Unauthorized if a header is missing or unusable."""
        headers = {header.lower(): value for header, value in headers.items()}
        name = f"X-Authorization-{vendor}"
        try:
            parts = dict(self.scheme(headers.get(name.lower(), "")))
        except ValueError as expected:
            raise Unauthorized(why=f"{name} {expected}") from None
        for part, alternatives in self.companions.items():
            values = [headers[header.lower()] for header in alternatives if headers.get(header.lower())]
            if not values:
                raise Unauthorized(why=f"{alternatives[0]} is missing")
            parts[part] = values[0]
        return Credential(parts)


def bearer(value: str) -> Mapping[str, str]:
    """`Bearer <token>` (RFC 6750) as {"token": ...}."""
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or " " in token.strip():
        raise ValueError("must be: Bearer <token>")
    return {"token": token.strip()}


def basic(value: str) -> Mapping[str, str]:
    """`Basic base64(id:secret)` as {"id": ..., "secret": ...}.

    The text is UTF-8 (RFC 7617), its id ASCII: a plugin may have to send the id in a header. Padding may be absent.
    Blanks inside the base64 text are ignored, and a newline at the end of the decoded text is dropped: the shell
    recipe of the public documentation (`base64 <<< "id:secret"`) makes both.
    """
    scheme, _, encoded = value.partition(" ")
    expected = ValueError("must be: Basic base64(<id>:<secret>)")
    if scheme.lower() != "basic":
        raise expected
    try:
        text = decoded("".join(encoded.split()))
    except ValueError:
        raise expected from None
    name, colon, secret = text.removesuffix("\n").removesuffix("\r").partition(":")
    if not (colon and name and secret) or not name.isascii() or not (name + secret).isprintable():
        raise expected
    return {"id": name, "secret": secret}


def decoded(encoded: str) -> str:
    """The UTF-8 text behind base64, with or without padding. Raises ValueError for anything else."""
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
