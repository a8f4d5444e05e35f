"""Data on stdout, prose on stderr. What is said may not be decided here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tars_peer.errors import TarsError

#: Tables that go into a file or a pipe are not cut to a terminal's width.
_WIDTH_ELSEWHERE = 220


def stdout() -> Console:
    """Return the console for data. Colours only on a terminal, and never under NO_COLOR."""
    return _console(sys.stdout)


def stderr() -> Console:
    """Return the console for prose."""
    return _console(sys.stderr)


def say_json(value: object) -> None:
    """Print ``value`` as JSON, indented, and nothing else."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_table(table: Table) -> None:
    """Print ``table``."""
    stdout().print(table)


def say_lines(*lines: Text) -> None:
    """Print ``lines`` as they are: a long one is not broken."""
    console = stdout()
    for line in lines:
        console.print(line, soft_wrap=True)


def remark(text: str) -> None:
    """Say ``text`` to the person, beside the data."""
    stderr().print(Text(text), soft_wrap=True)


def complain(error: TarsError) -> None:
    """Say what went wrong and what to do next."""
    console = stderr()
    console.print(Text.assemble(("error: ", "bold red"), plain(str(error))), soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("hint: ", "bold"), plain(error.hint)), soft_wrap=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal that ``what`` goes on while the body runs."""
    console = stderr()
    if not console.is_terminal:
        yield
        return
    with console.status(Text(what + " ...")):
        yield


def plain(text: str) -> str:
    """Return ``text`` without control characters: code under study may not steer a terminal."""
    return "".join(
        letter if letter in "\n\t" or letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )


def _console(file: TextIO) -> Console:
    return Console(
        file=file,
        width=None if file.isatty() else _WIDTH_ELSEWHERE,
        highlight=False,
        markup=False,
        emoji=False,
    )
