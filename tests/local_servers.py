"""Web servers of the tests' own that serve files, and a hub's repositories, well and badly."""

import base64
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

    def reply(self, found, status=200):
        content = json.dumps(found).encode()
        self.send_response(status)
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


class WritableHub(Hub):
    """A hub that repositories are uploaded to, by the protocol of huggingface_hub with LFS.

    `repositories` are the files of each by name, `private` the names of private ones, `stored` the large files by
    checksum. Only the token `token` may write, and only for the owner `me`. Files larger than `small` are large. `cuts`
    is how many uploads of large files are cut midway; those of files with checksums in `cut` always are.
    """

    repositories: ClassVar[dict[str, dict[str, bytes]]]
    private: ClassVar[set[str]]
    stored: ClassVar[dict[str, bytes]]
    received: ClassVar[list[str]]
    token = "hf_right"
    small = 1000
    cuts = 0
    cut: ClassVar[set[str]] = set()

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        self.repository = self.path.split("?")[0].removeprefix("/api/models/")
        if self.repository not in self.repositories:
            self.refuse("RepoNotFound")
        else:
            siblings = [{"rfilename": name} for name in self.repositories[self.repository]]
            private = self.repository in self.private
            self.reply({"id": self.repository, "sha": REVISION, "private": private, "siblings": siblings})

    def do_POST(self):
        sent = self.body()
        path = self.path.split("?")[0]
        if self.headers.get("Authorization") != f"Bearer {self.token}":
            self.refuse("InvalidToken", 401)
        elif path == "/api/repos/create":
            self.create(json.loads(sent))
        elif path == "/api/validate-yaml":
            self.reply({})
        elif not self.named(path).startswith("me/"):
            self.refuse("Forbidden", 403)
        elif path.endswith("/info/lfs/objects/batch"):
            self.reply({"transfer": "basic", "objects": [self.large(one) for one in json.loads(sent)["objects"]]})
        elif "/preupload/" in path:
            self.reply({"files": [self.mode(file) for file in json.loads(sent)["files"]]})
        else:
            self.commit(self.named(path), [json.loads(line) for line in sent.splitlines()])

    def do_PUT(self):
        size, checksum = int(self.headers["Content-Length"]), self.path.rsplit("/", 1)[-1]
        if checksum in self.cut or self.cuts > 0:
            type(self).cuts -= 1
            self.rfile.read(size // 2)
            self.connection.close()
            return
        content = self.rfile.read(size)
        assert hashlib.sha256(content).hexdigest() == checksum
        self.stored[checksum] = content
        self.received.append(checksum)
        self.reply({})

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"]))

    def named(self, path):
        return "/".join(path.removeprefix("/api/models").removesuffix("/info/lfs/objects/batch").split("/")[1:3])

    def create(self, asked):
        name = f"{asked['organization']}/{asked['name']}"
        if not name.startswith("me/"):
            self.refuse("Forbidden", 403)
        elif name in self.repositories:
            self.reply({"error": "exists", "url": f"http://{self.headers['Host']}/{name}"}, 409)
        else:
            self.repositories[name] = {}
            self.private.update({name} if asked["visibility"] == "private" else ())
            self.reply({"url": f"http://{self.headers['Host']}/{name}"})

    def mode(self, file):
        mode = "lfs" if file["size"] > self.small else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}

    def large(self, one):
        action = {"upload": {"href": f"http://{self.headers['Host']}/large/{one['oid']}"}}
        return one if one["oid"] in self.stored else one | {"actions": action}

    def commit(self, name, lines):
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.repositories[name][value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.repositories[name][value["path"]] = self.stored[value["oid"]]
            elif line["key"] == "deletedFile":
                del self.repositories[name][value["path"]]
        self.reply({"commitUrl": f"http://{self.headers['Host']}/{name}/commit/{REVISION}", "commitOid": REVISION})


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
