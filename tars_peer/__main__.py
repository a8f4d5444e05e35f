"""``python -m tars_peer`` is ``tars``. Nothing else may enter here."""

from __future__ import annotations

from tars_peer.cli.main import run

if __name__ == "__main__":
    run()
