"""A web server of the tests' own that serves files well and badly."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Files(BaseHTTPRequestHandler):
    """Serves `content`; `behaviour` says what goes wrong, `requests` counts."""

    content = b""
    behaviour = "good"
    requests = 0

    def do_GET(self):
        type(self).requests += 1
        if self.behaviour == "missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        half = len(self.content) // 2
        self.wfile.write(self.content[:half])
        self.wfile.flush()
        if self.behaviour == "always cut" or (self.behaviour == "cut once" and self.requests == 1):
            self.connection.close()
            return
        if self.behaviour == "slow":
            time.sleep(2)
        self.wfile.write(self.content[half:])

    def log_message(self, *_):
        """Keep the tests' output readable."""


@contextmanager
def serving(handler, **settings):
    """A running server of a handler with these settings: its address, and the handler class."""
    kind = type("One", (handler,), settings)
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", kind
    finally:
        server.shutdown()
