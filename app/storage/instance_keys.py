"""Keys that the embedded default generates once, in the instance folder."""

import os
import secrets
from pathlib import Path

MINIMUM = 32  # characters


def kept(folder: Path, name: str) -> str:
    """The key in `folder/name`, made on first use, readable by its owner only.

    Several processes may start at once: each writes a separate file and then links it to the final name.
    The link is atomic and fails when another process was first, so that all read the same, complete key.
    """
    path = folder / name
    if not path.exists():
        _make(folder, path)
    key = path.read_text().strip()
    if len(key) < MINIMUM:
        raise ValueError(f"{path} holds fewer than {MINIMUM} characters")
    return key


def _make(folder: Path, path: Path) -> None:
    draft = folder / f".{path.name}.{secrets.token_hex(8)}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first; its key is the one
    finally:
        draft.unlink()
