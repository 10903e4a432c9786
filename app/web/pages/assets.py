"""Scripts, styles and pictures of the pages, read once and kept in memory.

Their URLs contain a digest of all of them. So browsers may keep them forever, and a page never mixes two releases.
"""

import gzip
import importlib.util
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

OWN = Path(__file__).parent / "static"
SWAGGER_UI = "swagger-ui"
# The files that the reference needs of the package flask-swagger-ui, which brings them without a web framework's aid.
SWAGGER_UI_FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE")
# Not the system's table of types, which differs from machine to machine.
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file with its content type, and its content compressed with gzip."""

    content: bytes
    compressed: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All assets by their path, and the digest of their contents."""

    by_path: dict[str, Asset]
    digest: str


@cache
def load() -> Assets:
    """Reads all assets."""
    files = {path.relative_to(OWN).as_posix(): path for path in OWN.rglob("*") if path.is_file()}
    files |= {f"{SWAGGER_UI}/{name}": swagger_ui_folder() / name for name in SWAGGER_UI_FILES}
    by_path = {name: _asset(name, files[name].read_bytes()) for name in sorted(files)}
    digest = blake2b(digest_size=8)
    for name, asset in by_path.items():
        digest.update(f"{name} {len(asset.content)} ".encode() + asset.content)
    return Assets(by_path, digest.hexdigest())


def _asset(name: str, content: bytes) -> Asset:
    return Asset(content, gzip.compress(content, mtime=0), content_type(name))


def content_type(name: str) -> str:
    """The content type by the name's ending; plain text for licences and notes."""
    return TYPES.get(Path(name).suffix, TYPES[".txt"])


def swagger_ui_folder() -> Path:
    """The folder of Swagger UI in the package that brings it. The package itself is not imported."""
    spec = importlib.util.find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("flask-swagger-ui is not installed")
    return Path(spec.origin).parent / "dist"
