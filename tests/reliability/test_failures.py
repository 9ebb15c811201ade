"""A lost network, a killed job, invalid input: what is tried again, what goes on, and what the end says."""

import os
import re
import signal
import socket
from hashlib import sha256

import pytest
import yaml
from faults import start, wait_until
from tiny_study import CONFIG, notes, tiny_study

from local_servers import REVISION, Files, Hub, serving
from workflow_runs import snakemake

pytestmark = pytest.mark.long

LOST = "could not be downloaded"
TABLES = {name: f"figures/tiny/sizes_of_{name}.csv" for name in ("notes", "file", "dataset")}


def study_of(folder, **sources):
    """The tiny study with more corpora, and a table of the sizes of each corpus."""
    tiny_study(folder)
    path = folder / CONFIG[1]
    config = yaml.safe_load(path.read_text())
    for name, source in sources.items():
        config["corpora"][name] = {"source": source, "minimum_length": 20}
    config["tables"] |= {f"sizes_of_{name}": {"lay_out": "corpora", "corpora": [name]} for name in config["corpora"]}
    path.write_text(yaml.safe_dump(config))
    return folder


class Fragile:
    """Serves half of the first file that is asked for; then the network is lost until `lost` is False."""

    lost = False

    def do_HEAD(self):
        self.unless_lost(super().do_HEAD)

    def do_GET(self):
        self.unless_lost(super().do_GET)

    def do_POST(self):
        self.unless_lost(super().do_POST)

    def unless_lost(self, answer):
        if type(self).lost:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            answer()


class FragileFiles(Fragile, Files):
    """A web server behind a network that breaks in the middle of a file."""

    behaviour = "cut once"

    def do_HEAD(self):
        self.send_error(405)

    def do_GET(self):
        first = type(self).requests == 0
        super().do_GET()
        if first:
            type(self).lost = True


class FragileHub(Fragile, Hub):
    """A hub behind a network that breaks before the first file."""

    def send(self, file, body):
        if body and type(self).requests == 0:
            type(self).requests, type(self).lost = 1, True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            super().send(file, body)


def test_a_lost_network_is_waited_for_while_other_jobs_go_on(tmp_path, monkeypatch):
    """Of a file and of a data set, with the default profile; the network comes back when all else is done."""
    content = notes().encode()
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub/test.csv").write_bytes(content)
    with (
        serving(FragileFiles, content=content) as (web, files),
        serving(FragileHub, folder=tmp_path / "hub", kind="datasets/") as (address, hub),
    ):
        columns = {"label": "topic", "title": "title"}
        study = study_of(
            tmp_path / "study",
            file={"type": "url", "url": f"{web}/notes.csv", "format": "csv", "sha256": sha256(content).hexdigest()}
            | columns,
            dataset={"type": "hub", "id": "team/encoder", "revision": REVISION, "text": "text"} | columns,
        )
        for name, value in {
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_XET": "1",
        }.items():
            monkeypatch.setenv(name, value)
        running = start(study, *TABLES.values(), "--cores", "3")
        logs = [study / f"logs/tiny/{name}.log" for name in ("download_file/file", "download_dataset/dataset")]
        wait_until(lambda: all(log.is_file() and LOST in log.read_text() for log in logs), running)
        wait_until((study / TABLES["notes"]).is_file, running)
        assert files.lost and hub.lost
        assert not [study / TABLES[name] for name in ("file", "dataset") if (study / TABLES[name]).exists()]
        files.lost = hub.lost = False
        assert running.wait() == 0, (study / "run.log").read_text()[-3000:]
    said = (study / "run.log").read_text()
    assert "Trying to restart" not in said
    assert all((study / path).is_file() for path in TABLES.values())
    for log in logs:
        assert re.search(r"could not be downloaded: .* \(in \d+ s\)", log.read_text()), log.read_text()


def test_invalid_input_is_told_once_and_the_rest_is_made(tmp_path):
    """The end names the job, its log, the reason, and what is missing; nobody tries it again."""
    study = study_of(tmp_path / "study", file={"type": "file", "path": "wrong.csv", "label": "topics"})
    (study / "wrong.csv").write_text(notes())
    done = snakemake(study, *CONFIG, "--cores", "2", TABLES["file"], TABLES["notes"])
    assert done.returncode != 0
    assert (study / TABLES["notes"]).is_file()
    assert "Trying to restart" not in done.stdout
    end = done.stdout[done.stdout.index("What failed, and what is missing") :].splitlines()
    log = (study / "logs/tiny/prepare_corpus/file.log").read_text().splitlines()
    assert log[-1].startswith("error: ")
    assert end[1:5] == [
        "  prepare_corpus: results/tiny/corpora/file.parquet",
        f"    logs/tiny/prepare_corpus/file.log: {log[-1]}",
        f"    missing: {TABLES['file']}",
        "Finished results are kept. Once the cause is removed, the same command makes the rest.",
    ]


def processes_of(folder, script):
    """Ids of the Python processes that run a script in a folder."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            if script.encode() in words[1:4] and os.readlink(f"/proc/{name}/cwd") == str(folder):
                found.append(int(name))
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.kill
def test_a_job_that_was_killed_is_tried_again(tmp_path):
    """As the kernel does when memory runs out."""
    study = tiny_study(tmp_path / "study")
    running = start(study, "results/tiny/embeddings/notes/base/svd/0/none_last")
    found = []
    wait_until(lambda: found.extend(processes_of(study, "scripts/embed.py")) or found, running)
    os.kill(found[0], signal.SIGKILL)
    assert running.wait() == 0
    assert len(re.findall("Trying to restart job", (study / "run.log").read_text())) == 1
