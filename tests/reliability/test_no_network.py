"""Training and embedding open no socket to a network: no telemetry, no trackers, no look-ups of models."""

import os
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from small_models import small_bert, text

from selfembed.jobs.records import write_json, write_table
from selfembed.models import encoders
from workflow_runs import ROOT

TRACE = ["strace", "--follow-forks", "--seccomp-bpf", "--trace=socket", "--quiet=all"]


def can_trace():
    return shutil.which("strace") and subprocess.run([*TRACE, "true"], capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not can_trace(), reason="system calls cannot be traced here (strace)"),
]


def sockets(folder, *command):
    """Families of the sockets that a command and its processes open; no variable keeps libraries off the network."""
    variables = {name: value for name, value in os.environ.items() if not re.match("HF_|DISABLE|DO_NOT", name)}
    log = folder / "trace"
    done = subprocess.run([*TRACE, f"--output={log}", sys.executable, *map(str, command)], env=variables, text=True)
    assert done.returncode == 0
    return set(re.findall(r"socket\((AF_\w+)", log.read_text()))


def test_a_socket_is_seen(tmp_path):
    assert "AF_INET" in sockets(tmp_path, "-c", "import socket; socket.socket(socket.AF_INET)")


def test_training_and_embedding_open_no_socket_to_a_network(tmp_path):
    encoders.save(small_bert(tmp_path / "tokenizer"), tmp_path / "base" / "0", "")
    rows = [(0, f"t{n}", text(9, n), text(8, n + 7)) for n in range(16)]
    write_table(pd.DataFrame(rows, columns=["epoch", "id", "anchor", "positive"]), tmp_path / "pairs.parquet")
    write_json({"settings": {}}, tmp_path / "pairs.json")
    corpus = pd.DataFrame(rows, columns=["epoch", "id", "text", "title"]).assign(label=None)
    write_table(corpus[["id", "text", "label", "title"]], tmp_path / "texts.parquet")
    words = f"--base {tmp_path}/base --pairs {tmp_path}/pairs.parquet --pairs-settings {tmp_path}/pairs.json --name run"
    words += f" --batch-size 4 --max-length 16 --seed 3 --device cpu --threads 1 --output {tmp_path}/run"
    found = sockets(tmp_path, ROOT / "scripts" / "fine_tune.py", *words.split())
    assert (tmp_path / "run" / "final" / "model.safetensors").is_file()
    words = f"--corpus {tmp_path}/texts.parquet --model {tmp_path}/run/final --poolings mean --layers last"
    words += f" --max-length 16 --device cpu --threads 1 --output {tmp_path}/embeddings"
    found |= sockets(tmp_path, ROOT / "scripts" / "embed.py", *words.split())
    assert (tmp_path / "embeddings" / "embeddings.npy").is_file()
    assert not found & {"AF_INET", "AF_INET6"}
