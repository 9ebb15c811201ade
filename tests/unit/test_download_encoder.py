"""The hub downloader against a local server that speaks the hub's protocol."""

import hashlib
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from small_models import small_bert

from selfembed import encoders

SCRIPT = Path(encoders.__file__).parents[1] / "download_encoder.py"
REVISION = "a" * 40


class Hub(BaseHTTPRequestHandler):
    """Files of one repository at one revision, as huggingface.co serves them."""

    folder: Path

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        path = self.path.split("?")[0]
        prefix = f"/team/encoder/resolve/{REVISION}/"
        if path.startswith("/team/encoder/resolve/") and not path.startswith(prefix):
            return self.refuse("RevisionNotFound")
        if not path.startswith(prefix):
            return self.refuse("RepoNotFound")
        file = self.folder / path.removeprefix(prefix)
        if not file.is_file():
            return self.refuse("EntryNotFound")
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def refuse(self, code):
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with a small encoder."""
    folder = tmp_path_factory.mktemp("repository")
    encoders.save(small_bert(folder / "tokenizer"), folder / "checkpoint", "card")
    return folder / "checkpoint"


@pytest.fixture
def hub(repository):
    """A running hub; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneHub", (Hub,), {"folder": repository}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def download(hub, output, repository="team/encoder", revision=REVISION, layers=2):
    """Run the script against a hub."""
    command = [sys.executable, str(SCRIPT), "--id", repository, "--revision", revision]
    command += ["--layers", str(layers), "--output", str(output)]
    environment = os.environ | {"HF_ENDPOINT": hub, "HF_HOME": str(output.parent / "home"), "HF_HUB_DISABLE_XET": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_download_gives_a_working_encoder_without_code(hub, repository, tmp_path):
    done = download(hub, tmp_path / "encoder")
    assert done.returncode == 0, done.stderr
    weights = (tmp_path / "encoder" / "model.safetensors").read_bytes()
    assert weights == (repository / "model.safetensors").read_bytes()
    assert encoders.load(tmp_path / "encoder").model.config.num_hidden_layers == 2
    assert not list((tmp_path / "encoder").rglob("*.py"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"repository": "team/other"}, "hub: no repository 'team/other'"),
        ({"revision": "b" * 40}, f"hub: 'team/encoder' has no revision {'b' * 40}"),
        ({"layers": 12}, "2 transformer layers, but the config says layers: 12"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_left(hub, tmp_path, change, message):
    done = download(hub, tmp_path / "encoder", **change)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (tmp_path / "encoder").exists()


def test_no_hub_is_one_line(tmp_path):
    done = download("http://127.0.0.1:9", tmp_path / "encoder")
    assert done.returncode == 1
    assert "error: hub: 'team/encoder' could not be downloaded" in done.stderr
    assert not (tmp_path / "encoder").exists()
