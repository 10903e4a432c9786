"""Removes secrets and control characters from log lines.

Secrets are redacted in three ways: fields by their names; values passed to `conceal` during the request, wherever they
occur, tracebacks included; and texts that look like a credential.
"""

import base64
import re
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

from structlog.typing import EventDict, ExcInfo, WrappedLogger

from app.bounded_log import cut

HIDDEN = "[hidden]"

SECRET_NAME = re.compile(
    r"authorization|secret|token|password|passwd|cookie|credential|api.?key|signature", re.IGNORECASE
)
# Values of authorization headers, JWTs, user:password@host.
SECRET_TEXT = re.compile(
    r"(?i:\b(?:Bearer|Basic)\s+)(?P<scheme>[A-Za-z0-9+/=._~-]{6,})"
    r"|(?P<jwt>\beyJ[\w-]+\.[\w-]+\.[\w-]*)"
    r"|(?<=://)(?P<user>[^/\s@]+)(?=@)"
)
# Characters that end a line for some reader, move a terminal's cursor, change the order in which text is shown, or are
# half a character.
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]+"
)
CONTROL_IN_TRACEBACK = re.compile(CONTROL.pattern.replace(r"\x00-\x1f", r"\x00-\x09\x0b-\x1f"))
# Of a field, in characters: no line grows with what a caller or a vendor sends.
MAX_TEXT = 1000
# Of an exception's message, which may quote a vendor's reply.
MAX_MESSAGE = 200
MAX_TRACEBACK = 20_000
# Fields of the formatter, with texts of this project only.
OWN_FIELDS = frozenset({"timestamp", "level", "logger"})


@dataclass(slots=True)
class RequestTexts:
    """Texts of the current request that lines must not show, and texts that they show whatever is hidden."""

    public: set[str] = field(default_factory=set)
    _secret: set[str] = field(default_factory=set)
    _forms: list[str] = field(default_factory=list)
    _is_current: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, secrets: Iterable[str]) -> None:
        """Adds secrets."""
        with self._lock:
            self._secret.update(secrets)
            self._is_current = False

    def forms(self) -> list[str]:
        """The secrets in all their forms, the longest first: one may contain another. Computed when a line needs them,
        since a request may have hundreds of secrets and writes few lines."""
        with self._lock:
            if not self._is_current:
                self._forms = sorted({form for secret in self._secret for form in forms(secret)}, key=len, reverse=True)
                self._is_current = True
            return self._forms


# Shared with the threads that work for the request in a copy of its context.
_texts: ContextVar[RequestTexts | None] = ContextVar("texts", default=None)


def begin() -> None:
    """Starts with no known texts, for a new request."""
    _texts.set(RequestTexts())


def end() -> None:
    """Forgets the request's texts: its thread is reused."""
    _texts.set(None)


def conceal(*secrets: str) -> None:
    """Hides these values from every log line of the current request, also when encoded."""
    # Shorter values would redact parts of ordinary words, and protect nothing.
    _of_request().add(secret for secret in secrets if len(secret) >= 4)


def disclose(*texts: str) -> None:
    """Shows fields with exactly these values of the service, even if a caller sends the same text as a secret."""
    _of_request().public.update(texts)


def _of_request() -> RequestTexts:
    texts = _texts.get()
    if texts is None:
        _texts.set(texts := RequestTexts())
    return texts


def redact(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Hides secrets and removes control characters. The last processor before the line is written: no later processor
    may add text."""
    known, public = _known(), _public()
    # The names of fields are constants of the code; those within a field may be a caller's text.
    return {
        name: value if name in OWN_FIELDS or _is_public(value, public) else _field(name, value, known)
        for name, value in event.items()
    }


def hide(text: str, limit: int = MAX_TEXT) -> str:
    """Returns a text without secrets and control characters, and not longer than `limit`."""
    return _shown(text, _known(), limit)


def traceback_text(exc_info: ExcInfo) -> str:
    """A traceback whose exceptions have one line each, so that no text in them can pass for another line."""
    parts = [part for error in _chain(exc_info[1]) for part in _described(error)]
    return "\n".join(parts)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that led to it, the first cause first."""
    errors: list[BaseException] = []
    while error is not None and error not in errors:
        errors.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return reversed(errors)


def _described(error: BaseException) -> Iterator[str]:
    yield "Traceback (most recent call last):"
    yield from (frame.rstrip("\n") for frame in traceback.format_tb(error.__traceback__))
    # Redacted before it is cut, because a cut secret would not be recognized.
    yield f"{type(error).__qualname__}: {hide(_message(error), MAX_MESSAGE)}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its message cannot be shown)"


def _field(name: str, value: Any, known: list[str]) -> Any:
    if SECRET_NAME.search(name):
        return HIDDEN
    if name == "exception" and isinstance(value, str):
        return cut(CONTROL_IN_TRACEBACK.sub(" ", _hidden(value, known)), MAX_TRACEBACK)
    return _cleaned(value, known)


def _cleaned(value: Any, known: list[str]) -> Any:
    if isinstance(value, dict):
        return {
            _shown(str(name), known): HIDDEN if SECRET_NAME.search(str(name)) else _cleaned(item, known)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(item, known) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _shown(str(value), known)


def _shown(text: str, known: list[str], limit: int = MAX_TEXT) -> str:
    """A text as a line shows it. Secrets are hidden first: cut or cleaned, they would not be recognized."""
    hidden = _hidden(text, known)
    return cut(hidden if hidden.isprintable() else CONTROL.sub(" ", hidden), limit)


def _hidden(text: str, known: list[str]) -> str:
    for secret in known:
        text = text.replace(secret, HIDDEN)
    return SECRET_TEXT.sub(_cut, text)


def _cut(match: re.Match[str]) -> str:
    group = match.lastgroup or "jwt"
    return match.group(0).replace(match.group(group), HIDDEN)


def forms(secret: str) -> set[str]:
    """A secret as it is, percent-encoded, as Python writes it, and in base64."""
    in_base64 = base64.b64encode(secret.encode(errors="surrogatepass")).decode().rstrip("=")
    encoded = (quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace"))
    return {secret, *encoded, repr(secret)[1:-1], in_base64}


def _known() -> list[str]:
    texts = _texts.get()
    return [] if texts is None else texts.forms()


def _public() -> set[str]:
    texts = _texts.get()
    return set() if texts is None else texts.public


def _is_public(value: Any, public: set[str]) -> bool:
    return isinstance(value, str) and value in public
