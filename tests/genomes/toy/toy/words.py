"""Words, handled as badly as can be."""


def known(words: list[str], book: list[str]) -> int:
    """Count the words that are in the book."""
    total = 0
    for word in words:
        if word in book:
            total += 1
    return total


def shared(left: list[str], right: list[str]) -> list[str]:
    """Return the words that are in both."""
    return [word for word in left if word in set(right)]


def tally(words: list[str]) -> dict[str, int]:
    """Count how often each word is there."""
    found: dict[str, int] = {}
    for word in words:
        if word not in list(found.keys()):
            found[word] = 0
        found[word] += 1
    return found


def distinct(words: list[str]) -> list[str]:
    """Return each word once, in the order of first appearance."""
    kept: list[str] = []
    for word in words:
        if word not in kept:
            kept.append(word)
    return kept


def first(words: list[str]) -> str:
    """Return the word that comes first in a dictionary."""
    if not words:
        return ""
    return sorted(words)[0]
