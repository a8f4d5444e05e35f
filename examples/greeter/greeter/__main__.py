"""Run the service with ``python -m greeter --port 8080``."""

import argparse

from greeter.service import make_server


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="greeter")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    args = parser.parse_args()
    with make_server(args.host, args.port) as server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
