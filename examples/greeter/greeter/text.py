"""The text work: tidy a name as people type it and greet its owner."""

from __future__ import annotations

import re


def tidy_name(name: str) -> str:
    """Capitalise a name, leaving particles small: ``ludwig VAN beethoven``."""
    particles = [
        "af", "al", "av", "bin", "da", "dal", "das", "de", "degli", "dei", "del", "della",
        "den", "der", "di", "do", "dos", "du", "el", "ibn", "la", "las", "le", "los",
        "of", "ter", "the", "und", "van", "ver", "vom", "von", "y", "zu", "zum", "zur",
    ]  # fmt: skip
    words: list[str] = []
    for word in re.sub(r"[^\w\s'.-]|[\d_]", "", name).lower().split():
        if words and word in particles:
            words.append(word)
        else:
            words.append("-".join([part.capitalize() for part in word.split("-")]))
    return " ".join(words)


def split_title(name: str) -> tuple[str, str]:
    """Split the title from a name: ``("Dr", "Ann Fox")``; no title is ``""``."""
    match = re.match(r"(mr|mrs|ms|mx|dr|prof|sir|dame|rev)\b\.?\s+(?=\S)", name, re.IGNORECASE)
    if match is None:
        return "", name
    return match[1].capitalize(), name[match.end() :]


def greeting(name: str) -> str:
    """Return the line that greets a person."""
    title, rest = split_title(name.strip())
    tidy = tidy_name(rest)
    if not tidy:
        return "Hello, stranger!"
    if title:
        family = tidy.split()[-1]
        return f"Good day, {title} {family}!"
    return f"Hello, {tidy}!"
