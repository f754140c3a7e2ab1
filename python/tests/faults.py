"""A proxy before a server on this machine, which does to requests what busy and broken networks do."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, List, Optional, Tuple

# What is done to a request: nothing; or its answer is cut off in the middle; or it is answered with a status and a body.
Fault = Optional[Any]
CUT = "cut"
SLOW_DOWN = (503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
EXPIRED = (400, "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>")
DENIED = (403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")


class FaultProxy:
    """Hands requests on to `port`, as to the host of this name if one is given; `fault(method, path)` says what goes wrong."""

    def __init__(self, port: int, host: Optional[str] = None) -> None:
        self.requests: List[Tuple[str, str]] = []
        self.fault: Callable[[str, str], Fault] = lambda method, path: None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                proxy.requests.append((self.command, self.path))
                fault = proxy.fault(self.command, self.path)
                if isinstance(fault, tuple):
                    self.answer(fault[0], [], fault[1].encode())
                    return
                server = HTTPConnection("127.0.0.1", port)
                server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    server.putheader(name, host if host and name.lower() == "host" else value)
                server.endheaders(body)
                answer = server.getresponse()
                self.answer(answer.status, answer.getheaders(), answer.read(), fault == CUT)
                server.close()

            def answer(self, status: int, headers: List[Tuple[str, str]], body: bytes, cut: bool = False) -> None:
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                length = dict(headers).get("Content-Length", len(body)) if self.command == "HEAD" else len(body)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                if self.command == "HEAD":
                    return
                self.close_connection = cut
                try:
                    self.wfile.write(body[: len(body) // 2] if cut else body)
                except ConnectionError:
                    # Whoever asked does not want the rest.
                    self.close_connection = True

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def first_of_each(fault: Any, *methods: str) -> Callable[[str, str], Fault]:
    """The first request of each path meets the fault, and the next ones do not."""
    seen = set()

    def decide(method: str, path: str) -> Fault:
        if method in methods and (method, path) not in seen:
            seen.add((method, path))
            return fault
        return None

    return decide
