"""GPUs: one for each job, without a scheduler and with one. The counts are fake, the locks and processes real."""

import multiprocessing
import os
import time

import pytest
import torch

from selfembed import devices
from selfembed.errors import InputError


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """A function that gives this machine some GPUs; locks lie in a folder of the test."""
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(devices, "HELD", [])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")

    def gpus(count, given=None):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        if given:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)

    yield gpus
    for file in devices.HELD:
        file.close()


def test_without_a_gpu(machine):
    machine(0)
    assert devices.choose_device("auto") == devices.choose_device("cpu") == "cpu"
    with pytest.raises(InputError, match="'cuda' is wanted, but torch sees no GPU; allowed: cpu, auto"):
        devices.choose_device("cuda")


def test_a_job_on_the_cpu_takes_no_gpu(machine):
    machine(4)
    assert devices.choose_device("cpu") == "cpu"
    assert devices.HELD == []


def test_more_gpus_than_there_are(machine):
    machine(2)
    with pytest.raises(InputError, match="devices: 3 are wanted, but torch sees 2; allowed: up to 2"):
        devices.choose_device("auto", 3)


@pytest.mark.parametrize("count", [1, 2])
def test_what_a_scheduler_gave_is_taken_as_it_is(machine, count):
    """Two jobs on different GPUs may both know theirs as 0."""
    given = ",".join(map(str, range(count)))
    machine(count, given)
    for _ in range(2):
        assert devices.choose_device("auto", count) == "cuda"
        assert os.environ["CUDA_VISIBLE_DEVICES"] == given
    assert devices.HELD == []


def test_gpus_that_the_user_names_are_shared_out(machine):
    machine(2, "GPU-5a/1,7")
    devices.choose_device("auto")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-5a/1"
    machine(2, "GPU-5a/1,7")
    devices.choose_device("auto")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "7"


def job(count, found, until):
    """A process that takes GPUs, tells which, and holds them until it may end."""
    devices.choose_device("cuda", count)
    found.put(os.environ["CUDA_VISIBLE_DEVICES"])
    until.wait()


def start(count):
    context = multiprocessing.get_context("fork")
    found, until = context.SimpleQueue(), context.Event()
    process = context.Process(target=job, args=(count, found, until))
    process.start()
    return process, found, until


def test_four_jobs_take_four_gpus_and_the_fifth_waits_for_one(machine):
    machine(4)
    jobs = [start(1) for _ in range(4)]
    assert sorted(found.get() for _, found, _ in jobs) == ["0", "1", "2", "3"]
    waiting, found, until = start(1)
    time.sleep(0.5)
    assert found.empty()
    jobs[0][0].kill()  # not even a killed job keeps its GPU
    got = found.get()
    for process, _, end in [*jobs[1:], (waiting, found, until)]:
        end.set()
        process.join()
    assert got in {"0", "1", "2", "3"}


def test_jobs_of_two_gpus_do_not_wait_for_each_other_with_one_each(machine):
    machine(3)
    first, second = start(2), start(2)
    started = time.monotonic()
    while first[1].empty() and second[1].empty():
        assert time.monotonic() - started < 30
        time.sleep(0.01)
    for process, found, until in (first, second) if not first[1].empty() else (second, first):
        assert len(set(found.get().split(","))) == 2
        until.set()
        process.join()
