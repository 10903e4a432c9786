"""Texts of the pages on which owners give consent: one file per language."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flask import request

FOLDER = Path(__file__).parent
CODES = ("en", "de")
PARAMETER = "lang"


@cache
def texts_in(code: str) -> Mapping[str, Any]:
    """All texts in a language, by page and name."""
    return tomllib.loads((FOLDER / f"{code}.toml").read_text(encoding="utf-8"))


def requested() -> str:
    """The language of the response: by the parameter `lang`, else by the header Accept-Language, else English."""
    wanted = request.values.get(PARAMETER)
    return wanted if wanted in CODES else request.accept_languages.best_match(CODES, CODES[0])


def filled(texts: Mapping[str, Any], facts: Mapping[str, str]) -> dict[str, str]:
    """The texts of one page, with facts in their places."""
    return {name: text.format_map(facts) for name, text in texts.items()}
