"""Use every function once; a microsecond stands for each comparison and each hash of a word.

Counted instead of timed, so that a busy machine measures the same as an idle one.
"""

import sys

from toy.words import distinct, first, known, shared, tally

WORDS = 100


class Word(str):
    """A word that knows how often it was looked at."""

    __slots__ = ()
    looks = 0

    def __eq__(self, other: object) -> bool:
        """Compare."""
        Word.looks += 1
        return str.__eq__(self, other)

    def __lt__(self, other: str) -> bool:
        """Compare."""
        Word.looks += 1
        return str.__lt__(self, other)

    def __hash__(self) -> int:
        """Hash."""
        Word.looks += 1
        return str.__hash__(self)


def main() -> None:
    """Measure."""
    # The other word of each pair is an equal one, not the same: identity must not be enough.
    words = [Word(f"word{number * 7 % WORDS}") for number in range(WORDS)]
    book = [Word(word) for word in words]
    known(words, book)
    shared(words, book)
    tally([*words, *book])
    distinct([*words, *book])
    for _ in range(20):
        first(words)
    sys.stdout.write(f'{{"seconds": {Word.looks / 1_000_000}}}\n')


if __name__ == "__main__":
    main()
