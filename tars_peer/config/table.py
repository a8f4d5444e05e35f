"""Reading a TOML table strictly: every wrong key says its name, its file and what is allowed."""

from __future__ import annotations

import msgspec

from tars_peer.errors import UsageError
from tars_peer.model.noun import LARGEST_INTEGER


class Table:
    """A TOML table whose keys are taken one by one; what is left over is unknown."""

    def __init__(self, file: str, prefix: str, content: dict[str, object]) -> None:
        """Wrap ``content``, found in ``file`` under ``prefix`` (with its dot, or empty)."""
        self._file = file
        self._prefix = prefix
        self._content = content
        self._known: list[str] = []

    def fault(self, key: str, what: str) -> UsageError:
        """Return the error that says what is wrong with ``key``."""
        return UsageError(
            f"{self._file}: {self._prefix}{key} {what}",
            hint="see docs/settings.md; correct the file and commit it",
        )

    def has(self, key: str) -> bool:
        """Say whether ``key`` is there."""
        self._known.append(key)
        return key in self._content

    def word(self, key: str) -> str:
        """Return a string, or ``""`` where there is none."""
        value = self._take(key, "")
        if not isinstance(value, str):
            raise self.fault(key, f"must be a string, not {value!r}")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of strings, or ``()`` where there is none."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self.fault(key, f"must be a list of strings, not {value!r}")
        return tuple(value)

    def command(self, key: str) -> tuple[str, ...]:
        """Return a command as a list of strings (run with no shell), or ``()``."""
        value = self._take(key, [])
        if isinstance(value, str):
            raise self.fault(key, f"must be a list of strings such as {value.split()!r}: no shell")
        words = self.words(key)
        if key in self._content and not words:
            raise self.fault(key, "is empty: give a command, or leave the key out")
        return words

    def commands(self, key: str) -> tuple[tuple[str, ...], ...]:
        """Return a list of commands, or ``()``."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(
            isinstance(command, list) and command and all(isinstance(word, str) for word in command)
            for command in value
        ):
            raise self.fault(key, f"must be a list of commands (lists of strings), not {value!r}")
        return tuple(tuple(command) for command in value)

    def table(self, key: str) -> Table:
        """Return the table under ``key``; empty where there is none."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self.fault(key, f"must be a table, not {value!r}")
        return Table(self._file, f"{self._prefix}{key}.", value)

    def counts(self, noun: type[msgspec.Struct]) -> dict[str, int]:
        """Return the whole numbers in this table, whose keys are the fields of ``noun``."""
        allowed = noun.__struct_fields__
        for key, value in self._content.items():
            if key not in allowed:
                raise self.fault(key, f"is not known; allowed are {', '.join(allowed)}")
            if type(value) is not int or not 0 < value <= LARGEST_INTEGER:
                raise self.fault(
                    key, f"must be a whole number from 1 to {LARGEST_INTEGER}, not {value!r}"
                )
        self._known += allowed
        return {key: value for key, value in self._content.items() if type(value) is int}

    def done(self) -> None:
        """Refuse what was not asked for.

        Raises:
            UsageError: a key is not known.
        """
        for key in self._content:
            if key not in self._known:
                allowed = ", ".join(dict.fromkeys(self._known))
                raise self.fault(key, f"is not known; allowed are {allowed}")

    def _take(self, key: str, default: object) -> object:
        self._known.append(key)
        return self._content.get(key, default)
