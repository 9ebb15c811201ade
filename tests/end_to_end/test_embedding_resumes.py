"""An embedding killed at random moments goes on after its last finished block and ends with the same bytes."""

import json
import random
import signal
import time

import pytest

import interruptions
from interruptions import files, kill
from selfembed.records import read_json

N_TEXTS, BLOCK = 96, 8


def embed_in_small_blocks(argv, log):
    """Run embed.py as its command line does, with blocks that take a moment each."""
    from selfembed import embedding

    embedding.BLOCK = BLOCK
    embed = embedding.embed

    def slowly(*arguments):
        time.sleep(0.05)
        embed(*arguments)

    embedding.embed = slowly
    interruptions.logged_run("embed", argv, log)


@pytest.fixture(scope="module")
def server():
    return interruptions.server()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return interruptions.study(tmp_path_factory.mktemp("study"), N_TEXTS)


def start(server, study, output):
    words = f"--model {study}/base/0 --corpus {study}/corpus.parquet --layers all --max-length 64 --threads 1"
    argv = [*words.split(), "--poolings", "mean", "cls", "--device", "cpu", "--output", str(output)]
    process = server.Process(target=embed_in_small_blocks, args=(argv, output.with_name("log")))
    process.start()
    return process


def finished_blocks(output):
    path = output.with_name(f".{output.name}.unfinished") / "state" / "done.json"
    return read_json(path)["texts"] // BLOCK if path.is_file() else 0


def test_an_embedding_killed_again_and_again(server, study, tmp_path):
    (tmp_path / "whole").mkdir()
    whole = start(server, study, tmp_path / "whole" / "embeddings")
    whole.join()
    assert whole.exitcode == 0
    moments = random.Random(7)
    output = tmp_path / "embeddings"
    kills = 0
    while not output.is_dir():
        before = finished_blocks(output)
        process = start(server, study, output)
        if kills < 5:
            enough = before + moments.randint(0, 2)
            while process.is_alive() and finished_blocks(output) <= enough and not output.is_dir():
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.05))
            kills += process.is_alive()
            assert kill(process) in (0, -signal.SIGKILL)
            assert output.is_dir() or finished_blocks(output) > before
        else:
            process.join()
            assert f"goes on after text {before * BLOCK} of {N_TEXTS}" in (tmp_path / "log.log").read_text()
    assert kills >= 3
    assert files(output) == files(tmp_path / "whole" / "embeddings")
    assert json.loads((output / "embeddings.json").read_text())["texts"] == N_TEXTS
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "embeddings", "log.log"}
