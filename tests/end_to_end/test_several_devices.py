"""One run on several devices: two processes on a processor, forks of a warm process, which find each other by gloo."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from small_models import small_bert, text
from test_losses import guided

from selfembed.jobs.records import write_json, write_table
from selfembed.models import encoders
from selfembed.training import training
from warm.run import THREADS, VARIABLE
from workflow_runs import ROOT

pytestmark = pytest.mark.long

SCRIPTS = [str(ROOT / "scripts" / name) for name in ("warm/run.py", "fine_tune.py")]

N_PAIRS = 83  # in batches of 8: the last one, of 3, has an odd pair


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A function that gives the command of a run on some devices."""
    monkeypatch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("run")
    for dropout in (0.0, 0.1):
        encoders.save(small_bert(folder / "tokenizer", dropout=dropout), folder / f"base-{dropout}" / "0", "")
    rows = [(0, f"t{n}", text(6 + n % 5, n), text(8 + n % 3, n + 7)) for n in range(N_PAIRS)]
    write_table(pd.DataFrame(rows, columns=["epoch", "id", "anchor", "positive"]), folder / "pairs.parquet")
    write_json({"settings": {}}, folder / "pairs.json")

    own = subprocess.Popen(["sleep", "3600"])  # in the place of Snakemake: the warm process ends with it
    for name, value in dict.fromkeys(THREADS, "1").items() | {(VARIABLE, f"{own.pid}-devices")}:
        monkeypatch.setenv(name, value)

    def command(output, devices, dropout=0.0, *more):
        words = f"--base {folder}/base-{dropout} --pairs {folder}/pairs.parquet --pairs-settings {folder}/pairs.json"
        words += " --name run --learning-rate 1e-3 --batch-size 8 --max-length 16 --seed 3 --device cpu --threads 1"
        words += f" --devices {devices} --output {output}"
        return [sys.executable, *SCRIPTS, *words.split(), *more]

    yield command
    monkeypatch.undo()
    own.kill()
    own.wait()


def weights(output):
    return load_file(output / "final" / "model.safetensors")


@pytest.mark.parametrize("more", [(), ("--matryoshka", "4", "8")])
def test_processes_that_share_batches_train_as_one_process_does(run, tmp_path, more):
    """Every anchor has the whole batch's positives: with fewer negatives the losses would be far smaller."""
    histories = []
    for devices in (1, 2):
        done = subprocess.run(run(tmp_path / str(devices), devices, 0.0, *more), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        histories.append(pd.read_csv(tmp_path / str(devices) / "loss.csv"))
    one, two = histories
    assert list(two["batch_size"]) == [8] * 10 + [2]
    np.testing.assert_allclose(two["loss"][:10], one["loss"][:10], rtol=1e-4)
    assert list(two["learning_rate"]) == list(one["learning_rate"])
    before = one["loss"][0]
    assert before > np.log(8) / 2
    for name, value in weights(tmp_path / "1").items():
        np.testing.assert_allclose(weights(tmp_path / "2")[name], value, atol=3e-3)  # the odd pair: one step of 1e-3


@pytest.mark.parametrize("devices", [1, 2])
def test_a_guide_sees_the_positives_of_all_processes(run, tmp_path, devices):
    command = run(tmp_path / "run", devices, 0.0, "--guide")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    base = encoders.load_whole(Path(command[command.index("--base") + 1]) / "0")
    pairs = pd.read_parquet(command[command.index("--pairs") + 1]).head(8)
    vectors = [base.encode(pairs[column].tolist()) for column in ("anchor", "positive")]
    expected, _ = guided(vectors, vectors, devices)
    assert pd.read_csv(tmp_path / "run" / "loss.csv")["loss"][0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.kill
def test_two_processes_go_on_where_they_were(run, tmp_path):
    random = ("--mask-fraction", "0.3", "--keep", "4", "--checkpoint-minutes", "0")
    subprocess.run(run(tmp_path / "unbroken", 2, 0.1, *random), check=True, capture_output=True)
    command, unfinished = run(tmp_path / "broken", 2, 0.1, *random), tmp_path / ".broken.unfinished"
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while running.poll() is None and not list(unfinished.glob("checkpoint-*/checksums.json")):
        time.sleep(0.005)
    running.send_signal(signal.SIGTERM)
    _, log = running.communicate(timeout=60)
    assert running.returncode != 0, log
    assert "terminated after step" in log
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "resuming after step" in done.stderr
    for path in (tmp_path / "unbroken").rglob("*.*"):
        if path.is_file():
            again = tmp_path / "broken" / path.relative_to(tmp_path / "unbroken")
            assert path.read_bytes() == again.read_bytes(), path.name


AGENT = "python -m torch.distributed.run --nnodes 2 --nproc-per-node 1 --master-addr 127.0.0.1 --master-port {port}"
NODES = """
trap 'kill $first $second' TERM
{agent} --node-rank 1 "$@" 2> "$FOLDER"/second.log &
second=$!
{agent} --node-rank 0 "$@" &
first=$!
wait $first
code=$?
wait $second && exit $code
"""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.slow
def test_two_nodes_give_the_bytes_of_two_devices(run, tmp_path, monkeypatch):
    """Two agents of torchrun on one machine, in the place of srun, and with paths that it has to expand."""
    (tmp_path / "nodes.sh").write_text(NODES.format(agent=AGENT.format(port=free_port())))
    monkeypatch.setenv("FOLDER", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "scripts"))
    more = ("--keep", "4", "--mask-fraction", "0.3", "--matryoshka", "8")
    subprocess.run(run(tmp_path / "devices", 2, 0.1, *more), check=True, capture_output=True)
    command = run(tmp_path / "nodes", 2, 0.1, *more, "--launcher", "sh $FOLDER/nodes.sh")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "11 of 11 steps" in done.stderr and "steps" not in (tmp_path / "second.log").read_text()
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "devices", tmp_path / "nodes")
    )
    assert one == two and len(one) > 10


def test_another_number_of_processes_than_devices_is_one_line(run, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    done = subprocess.run(run(tmp_path / "none", 4), capture_output=True, text=True)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("error")]
    expected = "error: --devices 4, but 2 processes are started (WORLD_SIZE); expected: a process per device"
    assert lines == [expected]


def test_a_batch_that_cannot_be_shared_is_one_line(run, tmp_path):
    done = subprocess.run(run(tmp_path / "none", 3), capture_output=True, text=True)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert lines == ["error: --batch-size 8: not divisible by the number of devices; expected: a multiple of 3"]


def test_batches_are_shared_evenly():
    found = [[0, 1, 2, 3], [4, 5, 6], [7]]
    assert training.shared(found, 1) == found
    assert training.shared(found, 2) == [[0, 1, 2, 3], [4, 5]]
    assert training.shares([[0, 1, 2, 3], [4, 5]], 2) == [[0, 1], [2, 3], [4], [5]]
