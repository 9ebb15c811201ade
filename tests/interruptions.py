"""A small run, and scripts in processes that tests can kill at any moment."""

import logging
import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pandas as pd
from small_models import SENTENCE, small_bert, text

import make_pairs
from selfembed import encoders

# Loaded once: a process forked from here starts in a moment, and has used no thread.
LOADED = ["fine_tune", "embed", "selfembed.training", "selfembed.embedding", "small_models", "interruptions"]
PATHS = os.pathsep.join(str(Path(__file__).parents[1] / folder) for folder in ("scripts", "tests", "tests/unit"))


def server() -> multiprocessing.context.BaseContext:
    """What starts processes that have imported everything they need."""
    os.environ["PYTHONPATH"] = PATHS
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    return context


def study(place: Path, n_texts: int, dropout: float = 0.1) -> Path:
    """A base model, a corpus and three epochs of its pairs, as the scripts read them."""
    encoders.save(small_bert(place / "tokenizer", dropout=dropout, max_length=128), place / "base" / "0", "card")
    texts = [". ".join(f"{SENTENCE} {text(6, number + part)}" for part in range(4)) for number in range(n_texts)]
    table = pd.DataFrame({"id": range(n_texts), "text": texts, "title": None})
    table["label"] = [str(number % 3) for number in range(n_texts)]
    table[["id", "text", "label", "title"]].to_parquet(place / "corpus.parquet")
    flags = "--type crops --epochs 3 --seed 3 --corpus {0}/corpus.parquet --output {0}/pairs.parquet"
    make_pairs.main(f"{flags} --settings {{0}}/pairs.json".format(place).split())
    return place


def run_flags(study: Path, output: Path, *more: str) -> list[str]:
    """Arguments of a run of fine_tune.py: batches of 8, one thread."""
    words = (
        f"--base {study}/base --pairs {study}/pairs.parquet --pairs-settings {study}/pairs.json --name run --seed 1"
        f" --batch-size 8 --learning-rate 1e-3 --device cpu --threads 1 --output {output}"
    )
    return [*words.split(), *more]


def logged_run(module: str, argv: list[str], steps: Path) -> None:
    """Run a script as its command line does; the numbers of its finished optimiser steps go to a file."""
    from selfembed import command_line, training

    on_log = training.History.on_log

    def note(self, args, state, control, logs=None, **arguments):
        if "loss" in logs:
            with open(steps, "a") as file:
                file.write(f"{state.global_step}\n")
        on_log(self, args, state, control, logs, **arguments)

    training.History.on_log = note
    sys.argv = [module, *argv]
    sys.stderr = open(steps.with_suffix(".log"), "a", buffering=1)  # noqa: SIM115 - until the process ends
    logging.getLogger().handlers.clear()
    command_line.run(__import__(module).main)


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def kill(process: multiprocessing.Process, number: int = signal.SIGKILL) -> int:
    """Send a process a signal and return how it ended."""
    if process.is_alive():
        os.kill(process.pid, number)
    process.join()
    return process.exitcode
