"""Long steps that are killed go on where they were, and end with the same bytes as if they had not been."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from small_models import interrupt_in_third_block, small_bert, text

import embed
import warm_steps
from selfembed.embeddings import embedding
from selfembed.jobs.records import write_json, write_table
from selfembed.models import encoders
from selfembed.texts import corpora
from workflow_runs import ROOT

STEPS = 120


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A function that gives the arguments of a run with everything random in it: dropout, masks, a head, kept steps."""
    folder = tmp_path_factory.mktemp("run")
    encoders.save(small_bert(folder / "tokenizer"), folder / "base" / "0", "")
    rows = [(epoch, f"t{n}", text(9, n), text(8, n + 7)) for epoch in range(2) for n in range(4 * STEPS // 2)]
    write_table(pd.DataFrame(rows, columns=["epoch", "id", "anchor", "positive"]), folder / "pairs.parquet")
    write_json({"settings": {}}, folder / "pairs.json")

    def arguments(output, minutes=0.001, learning_rate=1e-3):
        words = f"--base {folder}/base --pairs {folder}/pairs.parquet --pairs-settings {folder}/pairs.json --name run"
        words += f" --learning-rate {learning_rate} --batch-size 4 --max-length 16 --mask-fraction 0.3 --projection 8 4"
        words += f" --keep 10 epoch-1 --seed 3 --device cpu --threads 1 --checkpoint-minutes {minutes}"
        return [*words.split(), "--output", str(output)]

    return arguments


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def unbroken(run, tmp_path_factory):
    """The files of a run that nothing disturbs, in a process of its own as the workflow starts it."""
    output = tmp_path_factory.mktemp("unbroken") / "seed-3"
    command = [sys.executable, str(ROOT / "scripts" / "fine_tune.py"), *run(output, minutes=10)]
    subprocess.run(command, check=True, capture_output=True)
    assert sorted(output.parent.iterdir()) == [output.with_name(".seed-3.seal"), output]
    return contents(output)


def steps_saved(unfinished):
    """Steps of the checkpoints that are whole."""
    return [int(path.parent.name.split("-")[1]) for path in unfinished.glob("checkpoint-*/checksums.json")]


def fine_tune(arguments):
    """Start a run; its log lies beside its output."""
    output = Path(arguments[-1])
    return warm_steps.start("fine_tune", arguments, output.with_name("fine_tune.log"))


def finish(arguments):
    """Run to the end, and return the log."""
    code, log = fine_tune(arguments).ended()
    assert code == 0, log
    return log


def go_until(arguments, unfinished, step, number):
    """Start a run, send it a signal once a checkpoint of `step` or later is there; return its exit code and log."""
    running = fine_tune(arguments)
    while running.is_running() and max(steps_saved(unfinished), default=0) < step:
        time.sleep(0.005)
    time.sleep(random.Random(step).random() / 10)  # in the middle of a step, or of a checkpoint
    running.send(number)
    return running.ended()


@pytest.mark.kill
def test_a_run_that_is_killed_twenty_times_ends_with_the_same_bytes(run, unbroken, tmp_path):
    output, unfinished = tmp_path / "seed-3", tmp_path / ".seed-3.unfinished"
    moments = sorted(random.Random(5).sample(range(1, STEPS - 20), 20))
    gone_on = []
    for moment in moments:
        saved = max(steps_saved(unfinished), default=0)
        code, log = go_until(run(output), unfinished, max(moment, saved + 1), signal.SIGKILL)
        assert code == -signal.SIGKILL, log
        assert not output.exists()
        gone_on += re.findall(r"resuming after step (\d+) of", log)
        assert not saved or int(gone_on[-1]) >= saved  # no whole checkpoint was lost
    assert len(gone_on) >= 18
    assert [int(step) for step in gone_on] == sorted(int(step) for step in gone_on)
    finish(run(output))
    assert contents(output) == unbroken
    assert not unfinished.exists()


@pytest.mark.kill
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_end_loses_no_step(run, unbroken, tmp_path, number):
    output, unfinished = tmp_path / "seed-3", tmp_path / ".seed-3.unfinished"
    code, log = go_until(run(output), unfinished, 30, number)
    assert code == 1
    (last,) = map(int, re.findall(r"terminated after step (\d+); run the same command again", log))
    assert max(steps_saved(unfinished)) == last
    assert f"resuming after step {last} of {STEPS}" in finish(run(output))
    assert contents(output) == unbroken


@pytest.mark.kill
def test_a_state_of_other_settings_is_not_gone_on_from(run, tmp_path):
    output, unfinished = tmp_path / "seed-3", tmp_path / ".seed-3.unfinished"
    go_until(run(output), unfinished, 5, signal.SIGKILL)
    assert "going on" not in finish(run(output, learning_rate=2e-3))
    assert pd.read_csv(output / "loss.csv")["learning_rate"].max() == pytest.approx(2e-3)


def test_a_run_that_diverges_names_the_step_and_keeps_the_last_good_state(run, tmp_path):
    code, log = fine_tune(run(tmp_path / "seed-3", 1e-6, learning_rate=1e30)).ended()
    assert code == 1
    step, learning_rate = re.search(r"loss is nan at step (\d+) of .* learning rate ([\d.e+]+)", log).groups()
    assert float(learning_rate) > 1
    assert max(steps_saved(tmp_path / ".seed-3.unfinished")) == int(step) - 1
    assert "Traceback" not in log


@pytest.fixture
def embedding_arguments(tmp_path):
    encoders.save(small_bert(tmp_path / "tokenizer"), tmp_path / "model", "")
    table = pd.DataFrame(
        {"id": range(20), "text": [text(4 + n % 9, n) for n in range(20)], "label": None, "title": None}
    )
    write_table(table[corpora.COLUMNS].astype("object").astype({"id": str}), tmp_path / "corpus.parquet")

    def arguments(output):
        words = f"--model {tmp_path}/model --corpus {tmp_path}/corpus.parquet --layers all --threads 1 --device cpu"
        return [*words.split(), "--output", str(output)]

    return arguments


def test_embedding_goes_on_after_its_last_finished_block(embedding_arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "BLOCK", 6)
    embed.main(embedding_arguments(tmp_path / "unbroken"))
    seen = interrupt_in_third_block(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        embed.main(embedding_arguments(tmp_path / "broken"))
    assert not (tmp_path / "broken").exists()
    assert json.loads((tmp_path / ".broken.unfinished" / "blocks.json").read_text()) == {"texts": 12}
    embed.main(embedding_arguments(tmp_path / "broken"))
    assert seen == [6, 6, 6, 6, 2]
    assert contents(tmp_path / "broken") == contents(tmp_path / "unbroken")
    assert not (tmp_path / ".broken.unfinished").exists()


@pytest.mark.kill
def test_an_embedding_that_is_killed_again_and_again_has_the_same_bytes(embedding_arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "BLOCK", 1)
    embed.main(embedding_arguments(tmp_path / "unbroken"))
    finished = tmp_path / ".broken.unfinished" / "blocks.json"
    texts = 0
    for _ in range(4):
        running = warm_steps.start("embed", embedding_arguments(tmp_path / "broken"), tmp_path / "log", embedding.BLOCK)
        while running.is_running() and blocks_finished(finished) <= texts:
            time.sleep(0.001)
        running.send(signal.SIGKILL)
        code, log = running.ended()
        assert code == -signal.SIGKILL, log
        assert not texts or int(re.search(r"resuming after (\d+) of 20 texts", log)[1]) >= texts
        texts = blocks_finished(finished)
    code, log = warm_steps.start(
        "embed", embedding_arguments(tmp_path / "broken"), tmp_path / "log", embedding.BLOCK
    ).ended()
    assert code == 0, log
    assert f"resuming after {texts} of 20 texts" in log
    assert contents(tmp_path / "broken") == contents(tmp_path / "unbroken")


def blocks_finished(path):
    """Texts of the blocks that an unfinished embedding has."""
    try:
        return json.loads(path.read_text())["texts"]
    except FileNotFoundError:
        return 0


def test_a_job_that_fails_before_it_did_anything_leaves_nothing(embedding_arguments, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    before = set(tmp_path.iterdir())
    arguments = [*embedding_arguments(tmp_path / "none"), "--layers", "9"]
    code, log = warm_steps.start("embed", arguments, logs / "embed.log").ended()
    assert code == 1, log
    assert set(tmp_path.iterdir()) == before
