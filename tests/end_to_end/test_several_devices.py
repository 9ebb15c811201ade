"""One run shared by two processes of the CPU: the loss, the files, a cut and errors."""

import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import interruptions
from interruptions import files, run_flags
from workflow_runs import ROOT, environment


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """21 steps in three epochs, without dropout; the last batch of every epoch is smaller."""
    return interruptions.study(tmp_path_factory.mktemp("study"), 54, dropout=0.0)


def fine_tune(*words):
    command = [sys.executable, str(ROOT / "scripts" / "fine_tune.py"), *words]
    return subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True)


def finished(*words):
    process = fine_tune(*words)
    said = process.communicate()[1]
    return process.returncode, said


FLAGS = ["--projection", "8", "--keep", "4", "epoch-1"]


@pytest.fixture(scope="module")
def shared(study, tmp_path_factory):
    """The folder of a run that two processes share."""
    folder = tmp_path_factory.mktemp("shared") / "run"
    code, said = finished(*run_flags(study, folder, *FLAGS, "--devices", "2"))
    assert code == 0, said
    assert said.count("21 of 21 steps") == 1
    return folder


def test_the_loss_is_that_of_one_process(study, shared, tmp_path):
    """Over the whole batch: with the negatives of its own half alone, a process would find another."""
    code, said = finished(*run_flags(study, tmp_path / "run", *FLAGS))
    assert code == 0, said
    one, two = (pd.read_csv(folder / "loss.csv") for folder in (tmp_path / "run", shared))
    np.testing.assert_allclose(two["loss"], one["loss"], atol=1e-5)
    pd.testing.assert_frame_equal(two.drop(columns="loss"), one.drop(columns="loss"))
    assert set(files(shared)) == set(files(tmp_path / "run"))


def test_a_shared_run_that_is_asked_to_end_goes_on(study, shared, tmp_path):
    """Only the process that was started is asked."""
    words = run_flags(study, tmp_path / "run", *FLAGS, "--devices", "2", "--checkpoint-steps", "1")
    process = fine_tune(*words)
    unfinished = tmp_path / ".run.unfinished" / "state"
    while not list(unfinished.glob("step-*")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    said = process.communicate()[1]
    assert process.returncode == 128 + signal.SIGTERM, said
    assert said.splitlines()[-1].startswith("ended by SIGTERM; step "), said
    code, said = finished(*words)
    assert code == 0, said
    assert "goes on after step" in said
    assert files(tmp_path / "run") == files(shared)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_errors_are_one_line(study, tmp_path):
    code, said = finished(*run_flags(study, tmp_path / "run", "--devices", "2", "--keep", "22"))
    assert code == 1
    assert "Traceback" not in said
    line = "error: step '22' cannot be kept: the run has 21 steps in 3 epochs; allowed: 1 to 21, epoch-1 to epoch-3"
    assert [words for words in said.splitlines() if "error" in words] == [line] == [said.splitlines()[-1]]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not shutil.which("strace"), reason="strace, which tells the calls of a process, is not here")
def test_one_process_opens_no_connection(study, tmp_path):
    calls = tmp_path / "calls"
    script = str(ROOT / "scripts" / "fine_tune.py")
    command = ["strace", "-f", "-e", "trace=socket", "-o", str(calls), sys.executable, script]
    subprocess.run([*command, *run_flags(study, tmp_path / "run")], check=True, env=environment(), capture_output=True)
    assert "exited with 0" in calls.read_text()
    assert not [line for line in calls.read_text().splitlines() if "AF_INET" in line]
