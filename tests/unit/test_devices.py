"""Every job without a scheduler takes a GPU of its own."""

import subprocess
import sys

import pytest

from selfembed.errors import InputError
from selfembed.jobs import devices
from workflow_runs import ROOT

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from selfembed.jobs.devices import own_gpus
print(*own_gpus(["0", "1", "2"], int(sys.argv[2])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def job(tmp_path):
    """A function that starts a process which takes a GPU of three and keeps it until it is ended."""
    running = []

    def start(gpus=1):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(ROOT / "scripts"), str(gpus)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"TMPDIR": str(tmp_path)},
        )
        running.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_jobs_take_different_gpus_and_free_them_however_they_end(job):
    first, one = job()
    _, two = job()
    _, three = job()
    assert [one, two, three] == ["0", "1", "2"]
    _, shared = job()
    assert shared == "0"
    first.kill()
    first.wait()
    assert job()[1] == "0"


def test_a_job_may_take_several(job):
    assert job(2)[1] == "0 1"
    assert job()[1] == "2"


def test_what_a_scheduler_gave_is_used(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6")
    devices.choose_device("auto", 2)
    assert devices.os.environ["CUDA_VISIBLE_DEVICES"] == "5,6"
    devices.choose_device("auto")
    assert devices.os.environ["CUDA_VISIBLE_DEVICES"] == "5"


def test_a_processor_takes_no_gpu(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "own_gpus", lambda *_: pytest.fail("took a GPU"))
    assert devices.choose_device("cpu") == "cpu"


def test_fewer_gpus_than_a_run_wants_are_an_error(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    with pytest.raises(InputError, match="2 GPUs requested, available: 1; expected: at most 1"):
        devices.choose_device("auto", 2)


def test_a_gpu_that_is_wanted_and_not_there_is_an_error(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match="torch finds no GPU"):
        devices.choose_device("cuda")
