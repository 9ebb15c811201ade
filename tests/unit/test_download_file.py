"""The file downloader against a local server that serves well and badly."""

import hashlib
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
import requests

import download_file
from local_servers import Files, serving
from selfembed.downloads import checksums
from selfembed.downloads.patience import PassingError
from selfembed.errors import InputError

SCRIPT = Path(checksums.__file__).parents[2] / "download_file.py"
CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
GIT_BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()


def download(url, folder, *checksum):
    command = [sys.executable, str(SCRIPT), "--url", url, *checksum, "--output", str(folder / "file.bin")]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("checksum", [("--sha256", SHA256), ("--git-blob", GIT_BLOB)])
@pytest.mark.parametrize(("behaviour", "requests"), [("good", 1), ("slow", 1), ("cut once", 2)])
def test_a_good_a_slow_and_a_cut_download_end_well(tmp_path, checksum, behaviour, requests):
    with serving(Files, content=CONTENT, behaviour=behaviour) as (address, server):
        done = download(f"{address}/file.bin", tmp_path, *checksum)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.requests == requests
    assert sorted(path.name for path in tmp_path.iterdir()) == [".file.bin.seal", "file.bin"]


@pytest.mark.parametrize(
    ("behaviour", "checksum", "message"),
    [
        ("good", ("--sha256", "0" * 64), f"SHA-256 is {SHA256}, expected {'0' * 64}; not kept"),
        ("good", ("--git-blob", "0" * 40), f"git blob id is {GIT_BLOB}, expected {'0' * 40}; not kept"),
        ("missing", ("--sha256", SHA256), "/file.bin: the server responded with 404"),
        ("always cut", ("--sha256", SHA256, "--patience", "0"), "/file.bin: could not be downloaded: "),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_left(tmp_path, behaviour, checksum, message):
    with serving(Files, content=CONTENT, behaviour=behaviour) as (address, _):
        done = download(f"{address}/file.bin", tmp_path, *checksum)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "reason", "passes"),
    [
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device", False),
        (requests.ConnectionError("broken\nin two lines"), "broken", True),
        (requests.Timeout(), "Timeout", True),
    ],
)
def test_why_a_download_failed_is_said(tmp_path, monkeypatch, error, reason, passes):
    monkeypatch.setattr(download_file.pooch, "HTTPDownloader", lambda **_: Mock(side_effect=error))
    with pytest.raises(InputError) as failed:
        download_file.download("http://x/file.bin", SHA256, tmp_path / "file.bin")
    assert str(failed.value) == f"http://x/file.bin: could not be downloaded: {reason}"
    assert isinstance(failed.value, PassingError) == passes


def test_a_git_blob_id_is_gits(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    done = subprocess.run(["git", "hash-object", str(file)], capture_output=True, text=True, check=True)
    assert checksums.git_blob(file) == done.stdout.strip() == GIT_BLOB


def test_a_wrong_file_is_deleted(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    with pytest.raises(InputError, match="name: SHA-256 is"):
        checksums.check_file(file, "0" * 64, "name")
    assert not file.exists()
