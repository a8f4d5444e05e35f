"""Where this machine gets packages from, in the words of uv: it does not read pip's.

No package is named here, and nothing the genome says may change where packages come from.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

#: What pip calls it → the variable of uv, and what is between several values.
_TRANSLATED: Final = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
}
_SECTIONS: Final = ("global", "install")


def uv_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``environment`` with what pip's configuration and ``PIP_*`` say, in uv's words.

    What is said in uv's words already is left as it is.
    """
    said = _configured(environment)
    for key in (*_TRANSLATED, "no-index"):
        value = environment.get(f"PIP_{key.upper().replace('-', '_')}")
        if value:
            said[key] = value
    made = dict(environment)
    for key, (name, separator) in _TRANSLATED.items():
        words = [word for word in said.get(key, "").split() if _is_there(key, word)]
        if words and not _is_said(name, environment):
            made[name] = separator.join(words)
    if "UV_INDEX" in made and "UV_INDEX" not in environment:
        # pip takes the best version of all indexes, uv by itself the first index with any.
        made.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return made


def only_local(environment: Mapping[str, str]) -> bool:
    """Say whether pip is told to use no index at all."""
    said = environment.get("PIP_NO_INDEX") or _configured(environment).get("no-index", "")
    return said.lower() not in {"", "0", "false", "no", "off"}


def _is_said(name: str, environment: Mapping[str, str]) -> bool:
    """Say whether uv has been told already, by the variable or its older name."""
    older = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
    return bool(environment.get(name) or environment.get(older.get(name, name)))


def _is_there(key: str, word: str) -> bool:
    """Say whether a value can be used: pip overlooks a folder that is not there, uv does not."""
    return key not in {"find-links", "cert"} or "://" in word or Path(word).exists()


def _configured(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what pip's configuration files say, the more particular ones last."""
    home = Path(environment.get("HOME") or "/")
    xdg = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    system = (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    named = environment.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return {}
    files = [
        *(Path(folder, "pip", "pip.conf") for folder in system),
        *(Path("/etc/pip.conf"), home / ".pip" / "pip.conf", xdg / "pip" / "pip.conf"),
        Path(sys.prefix, "pip.conf"),
        *([Path(named)] if named else []),
    ]
    said: dict[str, str] = {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        for section in filter(parser.has_section, _SECTIONS):
            said.update({key.replace("_", "-"): text for key, text in parser.items(section)})
    return said
