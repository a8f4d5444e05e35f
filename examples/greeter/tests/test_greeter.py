import threading
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from greeter.service import answer, make_server
from greeter.text import greeting, split_title, tidy_name


def test_tidy_name():
    names = {
        "  ada   LOVELACE ": "Ada Lovelace",
        "ludwig VAN beethoven": "Ludwig van Beethoven",
        "van morrison": "Van Morrison",
        "jean-luc o'neil": "Jean-Luc O'neil",
        "maría de la cruz": "María de la Cruz",
        "r2<d2>": "Rd",
        "12_!": "",
    }
    assert {name: tidy_name(name) for name in names} == names


def test_particles_stay_small_wherever_they_stand():
    assert tidy_name("otto VON UND zu stein") == "Otto von und zu Stein"
    assert tidy_name("abu bin y") == "Abu bin y"


def test_split_title():
    assert split_title("DR. ann fox") == ("Dr", "ann fox")
    assert split_title("Mrs Brown") == ("Mrs", "Brown")
    assert split_title("Drew Fox") == ("", "Drew Fox")
    assert split_title("Sir") == ("", "Sir")


def test_greeting():
    assert greeting("ann fox") == "Hello, Ann Fox!"
    assert greeting(" prof. ann de fox ") == "Good day, Prof Fox!"
    assert greeting("!!") == "Hello, stranger!"


def test_answer():
    assert answer("/health") == (200, "ok")
    assert answer("/greet?name=dr+no") == (200, "Good day, Dr No!")
    assert answer("/greet?name=") == (400, "name is missing")
    assert answer("/elsewhere")[0] == 404


def test_over_http():
    with make_server("127.0.0.1", 0) as server:
        # poll often: shutting down waits for the next poll
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        with urlopen(f"{base}/health", timeout=5) as response:
            assert response.status == 200 and response.read() == b"ok"
        with urlopen(f"{base}/greet?name=zo%C3%AB", timeout=5) as response:
            assert response.read().decode() == "Hello, Zoë!"
        with pytest.raises(HTTPError) as caught:
            urlopen(f"{base}/none", timeout=5)
        assert caught.value.code == 404
        caught.value.close()
        server.shutdown()
