"""Every job without a scheduler takes a GPU of its own."""

import select
import subprocess
import sys

import pytest

from selfembed.errors import InputError
from selfembed.jobs import devices
from workflow_runs import ROOT

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from selfembed.jobs import devices
print(*devices.own_gpus(["0", "1", "2"], int(sys.argv[2])), flush=True)
for line in sys.stdin:
    with devices.locked_gpus():
        print("locked", flush=True)
"""


@pytest.fixture
def job(tmp_path):
    """A function that starts a process which takes a GPU of three and keeps it until it is ended."""
    running = []

    def start(gpus=1, wait=True):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(ROOT / "scripts"), str(gpus)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"TMPDIR": str(tmp_path)},
        )
        running.append(process)
        return process, process.stdout.readline().strip() if wait else None

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_jobs_take_different_gpus_and_free_them_however_they_end(job):
    first, one = job()
    _, two = job()
    _, three = job()
    assert [one, two, three] == ["0", "1", "2"]
    waiting, _ = job(wait=False)
    assert not select.select([waiting.stdout], [], [], 3)[0]
    first.kill()
    first.wait()
    assert waiting.stdout.readline().strip() == "0"


def test_a_job_may_take_several(job):
    _, two = job(2)
    third, one = job()
    assert (two, one) == ("0 1", "2")
    waiting, _ = job(2, wait=False)
    assert not select.select([waiting.stdout], [], [], 3)[0]
    third.kill()  # one free GPU is not enough
    assert not select.select([waiting.stdout], [], [], 3)[0]


def test_jobs_that_use_a_gpu_at_times_take_turns(job):
    """After the first time that it needs the GPU, a job waits for the one that has taken it meanwhile."""
    job(2)
    first, one = job()
    first.stdin.write("\n")
    first.stdin.flush()
    assert first.stdout.readline().strip() == "locked"
    second, two = job()
    assert one == two == "2"
    first.stdin.write("\n")
    first.stdin.flush()
    assert not select.select([first.stdout], [], [], 3)[0]
    second.kill()
    assert first.stdout.readline().strip() == "locked"


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
