"""Keys that the embedded default generates once, in the instance folder."""

import errno
import os
import secrets
from pathlib import Path

MINIMUM = 32  # characters


def read_or_create(folder: Path, name: str) -> str:
    """The key in `folder/name`, generated on first use, readable by its owner only.

    Several processes may start at once: each writes a separate file and then links it to the final name.
    The link is atomic and fails when another process was first, so that all read the same, complete key.
    """
    path = folder / name
    if not path.exists():
        _create(folder, path)
    return read(folder, name)


def read(folder: Path, name: str) -> str:
    """The key in `folder/name`; empty if there is no such file."""
    path = folder / name
    if not path.exists():
        return ""
    key = path.read_text().strip()
    if len(key) < MINIMUM:
        raise ValueError(f"{path} holds fewer than {MINIMUM} characters")
    return key


def make_folder(folder: Path) -> None:
    """Creates the folder for its owner only, unless it is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def require_writable(folder: Path) -> None:
    """Raises OSError if this user could not write to the folder or, where it is not there yet, create it."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    number = 0 if nearest.is_dir() else errno.ENOTDIR
    if not number and not os.access(nearest, os.W_OK | os.X_OK):
        number = errno.EACCES
    if number:
        raise OSError(number, os.strerror(number), str(nearest))


def _create(folder: Path, path: Path) -> None:
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
