"""``tars certs``: an authority and what it issues, as files. How it is made is not known here."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from tars_peer.adapters.identity.cabinet import Cabinet, leaf_in
from tars_peer.adapters.identity.credentials import AUTHORITY_FILE, TRUSTED_FILE, leaf_files
from tars_peer.cli.machine import machine_of
from tars_peer.cli.options import DEFAULT_HOME, HomeOption, JsonOption
from tars_peer.cli.speak import remark, say_json, say_lines, say_table
from tars_peer.errors import UsageError
from tars_peer.model.identity import Identity, Role, is_label
from tars_peer.model.noun import ClusterId, Noun

app = typer.Typer(no_args_is_help=True)

_DAY_MS = 86_400_000
#: Where a home keeps the certificate of each peer, seen from its folder of certificates.
_PEERS = "peers/*/identity.pem"

FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--certs",
        metavar="DIR",
        help="The authority's folder. Default: the one in the home.",
    ),
]


class Shown(Noun, frozen=True, kw_only=True):
    """One certificate; ``expires`` is an ISO 8601 time, ``days_left`` whole days, rounded down."""

    file: str
    uri: str
    issuer: str
    expires: str
    days_left: int


class Overview(Noun, frozen=True, kw_only=True):
    """A folder: ``authority`` issues now, all in ``trusted`` are believed."""

    authority: str
    trusted: tuple[str, ...]
    certificates: tuple[Shown, ...]


@app.command()
def init(
    context: typer.Context,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="ID", help="Its cluster. Default: that of the home."),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    certs: FolderOption = None,
) -> None:
    """Make a certificate authority. `tars cluster up` does it for the cluster of a home."""
    folder = _folder(context, home, certs)
    if certs is None or cluster is None:
        # An authority of another cluster in a home would keep its peers from starting.
        of_home = machine_of(context).load(home).cluster_id
        if cluster not in (None, of_home):
            raise UsageError(
                f"{home} is the home of {of_home}, not of {cluster}",
                hint="name a folder for the authority of another cluster with --certs DIR",
            )
        cluster = of_home
    _cabinet(folder).found(ClusterId(cluster))
    say_lines(Text(f"a certificate authority of {cluster} is made in {folder}"))
    remark(f"keep {folder / 'authority.pem'} to yourself: whoever has it can be anybody")


@app.command()
def issue(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is.")],
    role: Annotated[Role, typer.Option("--role", help="What its holder may do.")],
    home: HomeOption = DEFAULT_HOME,
    certs: FolderOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where to put it. Default: that folder."),
    ] = None,
) -> None:
    """Issue a certificate to somebody, and put beside it what it is to trust."""
    folder = _folder(context, home, certs)
    cabinet = _cabinet(folder)
    authority = cabinet.authority()
    place = (out or folder) / f"{name}.pem"
    if not is_label(name) or place.name in (AUTHORITY_FILE, TRUSTED_FILE):
        raise UsageError(
            f"{name!r} cannot be a name",
            hint="give up to 40 letters of a-z, 0-9 and -, not `authority` and not `trusted`",
        )
    if place.exists():
        raise UsageError(
            f"{place} is there already",
            hint=f"renew it with `tars certs rotate {name}`, or take another name or --out",
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    identity = Identity(cluster_id=authority.cluster_id, role=role, name=name)
    cabinet.issue(identity, place)
    if out is not None and out.resolve() != folder.resolve():
        shutil.copy(folder / TRUSTED_FILE, out / TRUSTED_FILE)
    say_lines(Text(f"{place} says {identity.uri}"))


@app.command()
def rotate(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Only this one. Default: all.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    certs: FolderOption = None,
    authority: Annotated[
        bool, typer.Option("--ca", help="Make a new authority too, trusted beside the old one.")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Issue nothing; trust only the newest authority.")
    ] = False,
) -> None:
    """Issue certificates anew; peers take them while they run, and no call fails."""
    if authority + finish + (name is not None) > 1:
        raise UsageError("NAME, --ca and --finish exclude each other", hint="give one of them")
    folder = _folder(context, home, certs)
    cabinet = _cabinet(folder)
    cabinet.authority()
    places = _leaves(folder, name)
    if finish:
        cabinet.finish(places)
        say_lines(Text(f"trusted now: {', '.join(cabinet.trusted())}"))
        remark(f"give {folder / 'trusted.pem'} to those who use this cluster from elsewhere")
        return
    renewed = cabinet.rotate_authority(places) if authority else cabinet.renew(places)
    say_lines(*(Text(f"issued anew: {place}") for place in renewed))
    if authority:
        remark(
            "both authorities are trusted now; once certificates elsewhere are issued anew too, "
            "drop the old one with `tars certs rotate --finish`"
        )


@app.command()
def show(
    context: typer.Context,
    home: HomeOption = DEFAULT_HOME,
    certs: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show whom the cluster trusts, and each certificate with its end."""
    folder = _folder(context, home, certs)
    overview = _overview(folder)
    if as_json:
        say_json(overview)
        return
    for trusted in overview.trusted:
        mark = " (issues now)" if trusted == overview.authority else ""
        say_lines(Text(f"trusted: {trusted}{mark}"))
    table = Table("file", "identity", "issuer", "expires", "days left", box=None)
    for one in overview.certificates:
        table.add_row(one.file, one.uri, one.issuer, one.expires, str(one.days_left))
    say_table(table)


def _overview(folder: Path) -> Overview:
    cabinet = _cabinet(folder)
    rows = []
    for place in _leaves(folder, None):
        leaf = leaf_in(place)
        end = datetime.fromtimestamp(leaf.not_after_ms / 1000, UTC)
        rows.append(
            Shown(
                file=str(place),
                uri=leaf.identity.uri,
                issuer=leaf.issuer,
                expires=end.isoformat(timespec="seconds"),
                days_left=(leaf.not_after_ms - _now_ms()) // _DAY_MS,
            )
        )
    if not cabinet.founded and not rows:
        cabinet.authority()  # says what is missing
    return Overview(
        authority=cabinet.authority().name if cabinet.founded else "",
        trusted=cabinet.trusted(),
        certificates=tuple(rows),
    )


def _leaves(folder: Path, name: str | None) -> tuple[Path, ...]:
    """Return the files of certificates in ``folder`` and of the home's peers; or that of one."""
    places = (*leaf_files(folder), *sorted(folder.resolve().parent.glob(_PEERS)))
    if name is None:
        return places
    chosen = tuple(place for place in places if leaf_in(place).identity.name == name)
    if not chosen:
        raise UsageError(
            f"no certificate of {name!r} in {folder}",
            hint="see whose there are with `tars certs show`",
        )
    return chosen


def _folder(context: typer.Context, home: Path, certs: Path | None) -> Path:
    return certs or machine_of(context).certificates(home)


def _cabinet(folder: Path) -> Cabinet:
    return Cabinet(folder, now_ms=_now_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
