"""HTTP: ``/health`` and ``/greet?name=...``."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from greeter.text import greeting


def answer(target: str) -> tuple[int, str]:
    """Return the status and the body for the target of a GET request."""
    url = urlsplit(target)
    if url.path == "/health":
        return 200, "ok"
    if url.path == "/greet":
        names = parse_qs(url.query).get("name", [])
        if not names:
            return 400, "name is missing"
        return 200, greeting(names[0])
    return 404, "not found"


class Handler(BaseHTTPRequestHandler):
    """Answer GET requests in plain text."""

    def do_GET(self) -> None:
        """Answer one request."""
        status, text = answer(self.path)
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


def make_server(host: str, port: int) -> ThreadingHTTPServer:
    """Return a server bound to the address; port 0 takes a free one."""
    return ThreadingHTTPServer((host, port), Handler)
