"""Compare exports of the adapted model with the model: size, speed, and scores with 95 % intervals of the differences.

Reads the folders, score files (CSV) with outcomes of texts beside them (Parquet), and a corpus, some of whose texts
all of them embed on the CPU in turn. Writes a table (CSV) with a row for every export and score.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from timeit import timeit

import numpy as np
import pandas as pd

from selfembed.evidence import differences
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_table
from selfembed.scores import measures, outcomes
from selfembed.settings.figures import DifferencesTable
from selfembed.settings.scores import Threads
from selfembed.texts.corpora import read_corpus

ROUNDS = 5
TEXTS = 50


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus")
    what = "name and folder of an export, first of the model itself; repeatable"
    command_line.add_entries(parser, ["label"], what, option="--export")
    what = "name of an export or of the model, and its score files (CSV); repeatable"
    command_line.add_entries(parser, ["label"], what)
    options.add(parser, DifferencesTable, keep=("resamples", "seed"))
    options.add(parser, Threads, keep=("embed",), names={"embed": "threads"})
    measures.add_argument(parser)
    command_line.add_outputs(parser, output="CSV file")
    arguments = parser.parse_args(argv)
    folders = {words["label"]: folder for words, (folder,) in arguments.export}
    model, *exports = folders
    scores, by_text = outcomes.of_files(arguments.entry)
    compared = differences.compare(
        scores,
        by_text,
        against=model,
        labels=exports,
        numbers=arguments.measures,
        resamples=arguments.resamples,
        seed=arguments.seed,
    )
    facts = facts_of(folders, read_corpus(arguments.corpus)["text"].tolist(), arguments.threads)
    of_model = {f"against_{name}": facts[name][model] for name in ("megabytes", "vector_bytes", "texts_per_second")}
    table = compared.join(facts, on="label").assign(**of_model, threads=arguments.threads)
    for sentence in table["sentence"]:
        log.info(sentence)
    write_table(table, arguments.output)


def facts_of(folders: dict[str, Path], texts: list[str], threads: int) -> pd.DataFrame:
    """Return, by name, the size in MB, bytes of a vector, texts per second and the speed relative to the first one.

    Speeds are medians over rounds.
    """
    from selfembed.exports import forms

    sample = some(texts)
    ways = {name: forms.of(name).load(folder, "cpu", threads) for name, folder in folders.items()}
    taken = seconds(ways, sample)
    return pd.DataFrame(
        {
            "megabytes": {name: megabytes(folder) for name, folder in folders.items()},
            "vector_bytes": {name: encode(sample[:1]).nbytes for name, encode in ways.items()},
            "texts_per_second": len(sample) / taken.median(),
            "speed": taken.rdiv(taken.iloc[:, 0], axis=0).median(),
        }
    )


def some(texts: list[str]) -> list[str]:
    """Return at most TEXTS texts, evenly spaced."""
    return [texts[place] for place in np.linspace(0, len(texts) - 1, min(TEXTS, len(texts))).astype(int)]


def seconds(ways: dict[str, Callable[[list[str]], np.ndarray]], texts: list[str]) -> pd.DataFrame:
    """Return the seconds that every way to embed texts needs for them; shape (ROUNDS, ways).

    Every round runs all ways, so that other load of the machine is the same for all. A first round is not counted.
    """
    rounds = []
    for number in range(ROUNDS + 1):
        taken = {name: timeit(partial(encode, texts), number=1) for name, encode in ways.items()}
        rounds.append(taken)
        log.info("round %d of %d: %s", number, ROUNDS, ", ".join(f"{name} {s:.3g} s" for name, s in taken.items()))
    return pd.DataFrame(rounds[1:])


def megabytes(folder: Path) -> float:
    """Return the size of all files of a folder in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    command_line.run(main)
