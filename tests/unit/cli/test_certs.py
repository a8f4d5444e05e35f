"""``tars certs``: what is made, who is refused, and what a person is told."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tars_peer.adapters.identity.cabinet import leaf_in
from tars_peer.cli.main import app
from tars_peer.errors import UsageError
from tars_peer.supervisor.certificates import ensure_certificates
from tests.fakes.certificates import DAY_MS, Certificates
from tests.fakes.home import some_home


@pytest.fixture
def run():
    """Run ``tars certs`` with the given words; return its code, output and complaints."""

    def call(*words):
        done = CliRunner().invoke(app, ["certs", *map(str, words)])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    return call


@pytest.fixture
def home(tmp_path):
    """Return a home of two peers with all certificates."""
    home = some_home(tmp_path / "home")
    home.path.mkdir()
    home.save()
    ensure_certificates(home)
    return home


def uris(home) -> dict[str, str]:
    """Return who each certificate of ``home`` names, by its path in the home."""
    places = (*home.certificates.glob("[!a.t]*.pem"), *home.path.glob("peers/*/identity.pem"))
    return {f"{p.relative_to(home.path)}": leaf_in(p).identity.uri for p in sorted(places)}


def test_an_authority_is_made_once(run, tmp_path):
    folder = tmp_path / "certs"
    code, out, err = run("init", "--cluster", "c-7", "--certs", folder)
    assert (code, "authority of c-7 is made" in out, "authority.pem" in err) == (0, True, True)
    code, _, err = run("init", "--cluster", "c-8", "--certs", folder)
    assert (code, "already" in err) == (2, True)
    assert Certificates(folder).cabinet.authority().cluster_id == "c-7"


def test_the_authority_in_a_home_is_of_its_cluster(run, home, tmp_path):
    code, _, err = run("init", "--cluster", "c-7", "--home", home.path)
    assert (code, "is the home of c-1, not of c-7" in err) == (2, True)
    code, _, err = run("init", "--home", home.path)
    assert (code, "holds a certificate authority already" in err) == (2, True)
    (home.certificates / "authority.pem").unlink()
    assert run("init", "--home", home.path)[0] == 0
    assert Certificates(home.certificates).cabinet.authority().cluster_id == "c-1"
    code, _, err = run("init", "--cluster", "c-7", "--home", tmp_path / "none")
    assert (code, "no cluster in" in err) == (2, True)
    assert not (tmp_path / "none").exists()


def test_a_cluster_that_cannot_be_named_makes_nothing(run, tmp_path):
    code, _, err = run("init", "--cluster", "C 7", "--certs", tmp_path / "certs")
    assert code == 2
    assert "'C 7' cannot be the name of a cluster" in err
    assert not (tmp_path / "certs" / "authority.pem").exists()


def test_a_guest_gets_a_certificate_and_what_to_trust(run, home, tmp_path):
    out = tmp_path / "anna"
    code, said, _ = run("issue", "anna", "--role", "reader", "--home", home.path, "--out", out)
    assert (code, "spiffe://c-1/reader/anna" in said) == (0, True)
    assert sorted(path.name for path in out.iterdir()) == ["anna.pem", "trusted.pem"]
    assert (out / "trusted.pem").read_bytes() == (home.certificates / "trusted.pem").read_bytes()
    code, _, err = run("issue", "anna", "--role", "reader", "--home", home.path, "--out", out)
    assert (code, "is there already" in err) == (2, True)


@pytest.mark.parametrize("name", ["Anna", "an na", "../anna", "authority", "trusted"])
def test_a_name_that_cannot_be_is_refused(run, home, name):
    before = (home.certificates / "authority.pem").read_bytes()
    code, _, err = run("issue", name, "--role", "operator", "--home", home.path)
    assert (code, "cannot be a name" in err) == (2, True)
    assert (home.certificates / "authority.pem").read_bytes() == before


def test_a_role_that_is_none_is_refused(run, home):
    code, _, err = run("issue", "anna", "--role", "root", "--home", home.path)
    assert code == 2
    assert "reader" in err


def test_where_no_authority_is(run, tmp_path):
    for words in (("issue", "anna", "--role", "reader"), ("rotate",), ("show",)):
        code, _, err = run(*words, "--home", tmp_path)
        assert (code, "no certificate authority in" in err) == (2, True), words


def test_all_or_one_are_issued_anew_to_the_same_holders(run, home):
    before = uris(home)
    assert before == {
        "certs/operator.pem": "spiffe://c-1/operator/operator",
        "certs/reader.pem": "spiffe://c-1/reader/reader",
        "peers/p1/identity.pem": "spiffe://c-1/peer/p1",
        "peers/p2/identity.pem": "spiffe://c-1/peer/p2",
    }
    content = {name: (home.path / name).read_bytes() for name in before}

    def changed() -> list[str]:
        return [name for name in before if (home.path / name).read_bytes() != content[name]]

    code, out, _ = run("rotate", "p2", "--home", home.path)
    assert (code, out.count("issued anew")) == (0, 1)
    assert changed() == ["peers/p2/identity.pem"]
    assert run("rotate", "--home", home.path)[0] == 0
    assert changed() == list(before)
    assert uris(home) == before
    code, _, err = run("rotate", "p9", "--home", home.path)
    assert (code, "no certificate of 'p9'" in err) == (2, True)


def test_the_authority_is_replaced_in_two_steps(run, home):
    trusted = home.certificates / "trusted.pem"
    code, _, err = run("rotate", "--ca", "--home", home.path)
    assert (code, "--finish" in err) == (0, True)
    assert trusted.read_text().count("BEGIN CERTIFICATE") == 2
    code, out, _ = run("rotate", "--finish", "--home", home.path)
    assert (code, out.startswith("trusted now: ")) == (0, True)
    assert trusted.read_text().count("BEGIN CERTIFICATE") == 1
    assert run("rotate", "--ca", "--finish", "--home", home.path)[0] == 2
    assert run("rotate", "p1", "--ca", "--home", home.path)[0] == 2


def test_finishing_too_early_is_refused_with_whom_it_would_lock_out(run, home):
    old = (home.certificates / "operator.pem").read_bytes()
    run("rotate", "--ca", "--home", home.path)
    (home.certificates / "operator.pem").write_bytes(old)
    code, _, err = run("rotate", "--finish", "--home", home.path)
    assert code == 1
    assert "the old authority is needed" in err
    assert "operator.pem" in err


def test_show_says_who_and_until_when(run, home):
    code, out, _ = run("show", "--home", home.path)
    assert code == 0
    assert "trusted: CN=TARS c-1 " in out
    assert "(issues now)" in out
    assert "spiffe://c-1/peer/p1" in out
    code, out, _ = run("show", "--home", home.path, "--json")
    assert code == 0
    assert '"days_left": 89' in out


def test_a_home_makes_what_it_lacks_and_renews_what_is_old(home):
    assert ensure_certificates(home) == []
    content = {name: (home.path / name).read_bytes() for name in uris(home)}
    gone = home.credentials("p2").leaf
    gone.unlink()
    old = home.credentials("p1").leaf
    certificates = Certificates(home.certificates)
    certificates.now_ms -= 61 * DAY_MS
    certificates.cabinet.renew([old])
    assert ensure_certificates(home) == [f"the certificate {old} is renewed"]
    again = uris(home)
    assert again["peers/p2/identity.pem"] == "spiffe://c-1/peer/p2"
    kept = [name for name in content if (home.path / name).read_bytes() == content[name]]
    assert kept == ["certs/operator.pem", "certs/reader.pem"]


def test_a_home_without_its_authority_is_left_alone(home):
    before = uris(home)
    (home.certificates / "authority.pem").unlink()
    assert ensure_certificates(home) == []
    assert uris(home) == before
    home.credentials("p1").leaf.unlink()
    with pytest.raises(UsageError, match="no certificate authority"):
        ensure_certificates(home)


def test_a_command_without_a_certificate_says_how_to_get_one(cluster, tars, tmp_path):
    address = cluster.desks[0].peer.address
    answer = tars("cluster", "status", "--endpoint", address, "--certs", str(tmp_path))
    assert answer.code == 2
    assert "no certificate in" in answer.err
    assert "tars certs issue NAME --role reader" in answer.err


def test_a_reader_sees_and_cannot_decide(cluster, tars):
    reader = str(cluster.certificates.reader.leaf)
    address = cluster.desks[0].peer.address
    words = ("--endpoint", address, "--certs", reader)
    assert tars("cluster", "status", *words).code == 0
    answer = tars("evolve", "pause", *words)
    assert answer.code == 1
    assert "spiffe://tars-test/reader/reader may not call Pause: operator may" in answer.err
    assert "hint: " in answer.err


def test_a_stranger_is_told_that_it_is_not_trusted(cluster, tars, tmp_path):
    stranger = Certificates(tmp_path / "certs", "tars-test")
    address = cluster.desks[0].peer.address
    words = ("--endpoint", address, "--certs", str(stranger.operator.leaf))
    answer = tars("evolve", "history", *words)
    assert answer.code == 3
    assert "is not the peer that was asked for" in answer.err
    assert "tars certs show" in answer.err
