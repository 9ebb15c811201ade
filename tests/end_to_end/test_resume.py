"""Jobs killed at random moments go on where they were and end with the same bytes."""

import random
import signal
import time

import pytest

import interruptions
from interruptions import files, kill, logged_run, run_flags

INTERVAL = 3
FLAGS = ["--mask-fraction", "0.3", "--projection", "8", "4", "--keep", "5", "epoch-1", "20"]
KILLS = 20


@pytest.fixture(scope="module")
def server():
    return interruptions.server()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """66 steps in three epochs."""
    return interruptions.study(tmp_path_factory.mktemp("study"), 170)


@pytest.fixture(scope="module")
def uninterrupted(server, study, tmp_path_factory):
    """The files of a run that nothing disturbed and that saved no state, and the seconds it took."""
    place = tmp_path_factory.mktemp("uninterrupted")
    loading = server.Process(target=time.sleep, args=(0,))
    loading.start()
    loading.join()
    started = time.monotonic()
    process = start(server, place / "run", study, "--checkpoint-minutes", "1000")
    process.join()
    assert process.exitcode == 0, (place / "steps.log").read_text()
    return files(place / "run"), time.monotonic() - started


def start(server, output, study, *flags):
    argv = run_flags(study, output, *FLAGS, *flags)
    process = server.Process(target=logged_run, args=("fine_tune", argv, output.with_name("steps.txt")))
    process.start()
    return process


def steps(place):
    path = place / "steps.txt"
    return [int(line) for line in path.read_text().split()] if path.is_file() else []


def test_a_run_killed_at_twenty_random_moments(server, study, uninterrupted, tmp_path):
    """Runs are killed again and again; each ends with the bytes of the undisturbed one, and repeats hardly a step."""
    expected, seconds = uninterrupted
    moments = random.Random(5)
    kills = runs = 0
    while kills < KILLS:
        runs += 1
        place = tmp_path / str(runs)
        place.mkdir()
        while not (place / "run").is_dir():
            before = steps(place)
            process = start(server, place / "run", study, "--checkpoint-steps", str(INTERVAL))
            process.join(None if kills == KILLS else moments.uniform(0.3, seconds))
            kills += process.is_alive()
            assert kill(process) in (0, -signal.SIGKILL), (place / "steps.log").read_text()
            new = steps(place)[len(before) :]
            if new:
                assert new == list(range(new[0], new[0] + len(new)))
                assert new[0] > max(before, default=0) - INTERVAL
        assert files(place / "run") == expected
        assert steps(place)[-1] == 66


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_end_saves_its_state(server, study, uninterrupted, tmp_path, number):
    process = start(server, tmp_path / "run", study)
    while len(steps(tmp_path)) < 10:
        assert process.is_alive(), (tmp_path / "steps.log").read_text()
        time.sleep(0.01)
    assert kill(process, number) == 128 + number
    done = steps(tmp_path)
    assert f"ended by {number.name}; step {done[-1]} of 66 is saved" in (tmp_path / "steps.log").read_text()
    assert not (tmp_path / "run").exists()
    process = start(server, tmp_path / "run", study)
    process.join()
    assert process.exitcode == 0
    assert steps(tmp_path) == list(range(1, 67))
    assert files(tmp_path / "run") == uninterrupted[0]
