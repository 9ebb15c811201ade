"""Web servers of the tests' own that serve files, and a hub's repositories, well and badly."""

import hashlib
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs


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


REVISION = "a" * 40


class Hub(Files):
    """Files of one repository at one revision, as huggingface.co serves them: `folder` holds them.

    `kind` is empty for models, `datasets/` for data sets; `etag` instead of the right checksum if it is given. Files of
    `gated` repositories are refused; `clock` is how many seconds the server's is ahead.
    """

    folder = None
    repository = "team/encoder"
    revision = REVISION
    kind = ""
    etag = None
    gated = ()
    clock = 0
    broken: ClassVar[set[str]] = set()

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def do_POST(self):
        """What the hub knows of some paths."""
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        wanted = asked.get("paths", [])
        self.reply([entry for entry in self.entries() if entry["path"] in wanted])

    def date_time_string(self, timestamp=None):
        return super().date_time_string(timestamp or time.time() + self.clock)

    def answer(self, body):
        path = self.path.split("?")[0].lstrip("/")
        api = f"api/{self.kind or 'models/'}{self.repository}"
        files = f"{self.kind}{self.repository}/resolve/"
        if any(path.startswith(f"{self.kind}{name}/resolve/") for name in self.gated):
            self.refuse("GatedRepo", 403)
        elif any(path.startswith(f"api/{self.kind or 'models/'}{name}") for name in self.gated):
            self.describe()
        elif path.startswith(f"{api}/revision/") and not path.endswith(f"/{self.revision}"):
            self.refuse("RevisionNotFound")
        elif path.startswith(f"{api}/tree/"):
            below = path.removeprefix(f"{api}/tree/{self.revision}").strip("/")
            self.reply([entry for entry in self.entries() if not below or entry["path"].startswith(f"{below}/")])
        elif path.startswith(api):
            self.describe()
        elif not path.startswith(files):
            self.refuse("RepoNotFound")
        elif not path.startswith(f"{files}{self.revision}/"):
            self.refuse("RevisionNotFound")
        elif not (self.folder / path.removeprefix(f"{files}{self.revision}/")).is_file():
            self.refuse("EntryNotFound")
        else:
            self.send(self.folder / path.removeprefix(f"{files}{self.revision}/"), body)

    def describe(self):
        siblings = [{"rfilename": entry["path"], "size": entry["size"]} for entry in self.entries()]
        self.reply({"id": self.repository, "sha": self.revision, "siblings": siblings})

    def entries(self):
        files = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
        return [
            {"type": "file", "path": str(path.relative_to(self.folder)), "size": path.stat().st_size, "oid": "0" * 40}
            for path in files
        ]

    def reply(self, found):
        content = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def send(self, file, body):
        content = file.read_bytes()
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0]) if body else 0
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", self.revision)
        self.send_header("ETag", f'"{self.etag or hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if not body:
            return
        type(self).requests += 1
        rest = content[start:]
        if self.behaviour == "cut once" and file.name not in self.broken and len(rest) > 10_000:
            self.broken.add(file.name)
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            self.connection.close()
            return
        if self.behaviour == "slow":
            time.sleep(1)
        self.wfile.write(rest)

    def refuse(self, code, status=404):
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


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
