"""The facts in the report and the model card, read from files."""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from selfembed.errors import InputError
from selfembed.evidence import differences
from selfembed.jobs.command_line import at_least, existing
from selfembed.jobs.records import read_json
from selfembed.scores import measures, tables
from selfembed.training import divergence

DIFFERENCE_COLUMNS = (
    *("corpus", "score", "measure", "label", "against", "n_texts", "n_seeds", "against_seeds"),
    *("value", "low", "high", "against_value", "against_low", "against_high"),
    *("difference", "difference_low", "difference_high", "verdict", "sentence"),
)
ALWAYS = "always the largest class"


@dataclass(frozen=True)
class Account:
    """Facts about a corpus and a model.

    Attributes:
        corpus: name of the corpus that the model was fine-tuned on.
        label: label of the model in tables.
        base_label: label of the encoder before fine-tuning; None if the tables do not contain it.
        encoder: description of the encoder.
        own: description of the encoder's own modules (`OwnModules.described`); empty if it has none.
        max_length: maximum number of tokens per text.
        counts: numbers of rows of the source that were kept or excluded, by reason; empty if unknown.
        sentences: how texts were split into sentences.
        drop_repeated: sentences in at least this many texts were dropped; None if none were.
        description: sizes and lengths of the corpus.
        recipe: all settings of the run.
        steps: its optimiser steps.
        losses: the loss at every step.
        pairs: number of training pairs.
        own_code: whether the model folder contains code needed to load it.
        rows: rows of the tables of differences.
        fraction: of the way from the encoder before fine-tuning to the fine-tuned model; None: all of it.
    """

    corpus: str
    label: str
    base_label: str | None
    encoder: str
    own: dict[str, Any]
    max_length: int
    counts: dict[str, int]
    sentences: str
    drop_repeated: int | None
    description: dict[str, Any]
    recipe: dict[str, Any]
    steps: int
    losses: pd.Series
    pairs: int
    own_code: bool
    rows: list[dict[str, Any]]
    fraction: float | None = None

    def compared(self) -> dict[str, list[dict[str, Any]]]:
        """Rows that compare the model with others, grouped by the other; the encoder before fine-tuning is first."""
        found: dict[str, list[dict[str, Any]]] = {} if self.base_label is None else {self.base_label: []}
        seen = set()
        for row in self.rows:
            if self.label not in (row["label"], row["against"]):
                continue
            mine = row if row["label"] == self.label else differences.turned(row)
            if (where := (mine["corpus"], mine["score"], mine["against"])) not in seen:
                seen.add(where)
                found.setdefault(mine["against"], []).append(mine)
        return {other: rows for other, rows in found.items() if rows}

    def values(self) -> dict[str, dict[tuple[str, str, str], tuple[float, float, float]]]:
        """Value and interval bounds, by label (before, the model, others), then by corpus, score and measure.

        The last label is ALWAYS, without bounds (NaN), if accuracies have the score of the largest class.
        """
        found: dict[str, dict] = {label: {} for label in (self.base_label, self.label) if label is not None}
        always = {}
        for row in self.rows:
            where = row["corpus"], row["score"], row["measure"]
            for label, prefix in ((row["against"], "against_"), (row["label"], "")):
                numbers = tuple(row[f"{prefix}{name}"] for name in ("value", "low", "high"))
                found.setdefault(label, {}).setdefault(where, numbers)
            always[where] = (row.get(tables.LARGEST_CLASS, math.nan), math.nan, math.nan)
        found[ALWAYS] = {where: numbers for where, numbers in always.items() if not math.isnan(numbers[0])}
        return {label: numbers for label, numbers in found.items() if numbers}


def is_main(row: dict[str, Any], rows: list[dict[str, Any]]) -> bool:
    """Whether a row has a main measure; if no row has one, all count as main."""
    main = {name for name, measure in measures.MEASURES.items() if measure.is_main}
    return row["measure"] in main or main.isdisjoint(other["measure"] for other in rows)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the files of an account."""
    parser.add_argument("--corpus", required=True, help="name of the corpus")
    parser.add_argument("--label", required=True, help="label of the model in tables")
    parser.add_argument("--base-label", help="label of the encoder before fine-tuning")
    parser.add_argument("--encoder", required=True, help="description of the encoder")
    parser.add_argument(
        "--base", type=existing, help="base model, to add its revision to the description of the encoder"
    )
    parser.add_argument("--max-length", type=at_least(1), required=True, help="maximum number of tokens per text")
    parser.add_argument(
        "--counts", type=existing, required=True, help="numbers of kept and excluded rows of the source (JSON)"
    )
    parser.add_argument("--description", type=existing, required=True, help="description of the corpus (CSV)")
    parser.add_argument("--record", type=existing, required=True, help="record of the run: loss.csv and run.json")
    parser.add_argument("--model", type=existing, required=True, help="folder of the model")
    what = "of the way from the encoder before fine-tuning to the fine-tuned model, if the model is interpolated"
    parser.add_argument("--fraction", type=float, help=what)
    parser.add_argument("--pairs-settings", type=existing, required=True, help="settings of the run's pairs (JSON)")
    parser.add_argument("--differences", type=existing, nargs="+", required=True, help="tables of differences (CSV)")
    parser.add_argument("--corpora", nargs="+", required=True, help="corpora on which the model is scored")


def read(arguments: argparse.Namespace) -> Account:
    """Read the account from the files given as arguments.

    Raises InputError if a file is invalid, or if no table compares the model with another.
    """
    run = read_json(arguments.record / "run.json", "recipe", "steps")
    pairs = read_json(arguments.pairs_settings, "pairs")
    described = tables.read(arguments.description, "texts", "labelled", "classes", "mean_length")
    losses = tables.read(arguments.record / "loss.csv", "loss")["loss"]
    for path, table in ((arguments.description, described), (arguments.record / "loss.csv", losses)):
        if not len(table):
            raise InputError(f"{path}: no rows; expected: at least one")
    prepared = read_json(arguments.counts, "rows")
    check_model(arguments.model)
    own = run.get("own") or {}
    limits = [arguments.max_length, own["max_length"] if run["recipe"]["pooling"] == "own" and own else None]
    found = Account(
        corpus=arguments.corpus,
        label=arguments.label,
        base_label=arguments.base_label,
        encoder=arguments.encoder if arguments.base is None else with_revision(arguments.encoder, arguments.base),
        own=own,
        max_length=min(limit for limit in limits if limit is not None),
        counts=prepared["rows"],
        sentences=prepared.get("sentences", "paper"),
        drop_repeated=prepared.get("drop_repeated"),
        description=described.iloc[0].to_dict(),
        recipe=run["recipe"],
        steps=run["steps"],
        losses=losses,
        pairs=pairs["pairs"],
        own_code=any(arguments.model.glob("*.py")),
        rows=[row for path in arguments.differences for row in read_differences(path, arguments.corpora)],
        fraction=arguments.fraction,
    )
    if not found.compared():
        raise InputError(
            f"{', '.join(map(str, arguments.differences))}: no row compares '{found.label}' with another model on "
            f"{', '.join(arguments.corpora)}; expected: a table of differences for this model"
        )
    return found


def with_revision(encoder: str, base: Path) -> str:
    """Description of an encoder on the Hub with its revision, the newest when the base model was downloaded.

    Raises InputError if the base model does not record the revision.
    """
    revision = read_json(base / "model.json", "revision")["revision"]
    return f"{encoder}, at revision {revision[:8]}, the newest when it was downloaded"


def check_model(folder: Path) -> None:
    """Raise InputError unless a folder, such as a step of a run, contains a model."""
    if divergence.of_model(folder):
        raise InputError(f"{folder}: the run diverged and has no model; expected: a run that did not diverge")
    if not (folder / "modules.json").is_file():
        raise InputError(f"{folder}: contains no model; expected: a step that the run kept")


def read_differences(path: Path, corpora: list[str]) -> list[dict[str, Any]]:
    """Rows of a table of differences for some corpora.

    Raises InputError if the file is not a table of differences.
    """
    table = tables.read(path, *DIFFERENCE_COLUMNS).astype({"label": str, "against": str, "corpus": str, "score": str})
    unknown = set(table["measure"]) - set(measures.MEASURES)
    if unknown:
        raise InputError(
            f"{path}: measure {sorted(map(str, unknown))[0]!r} is unknown; expected: a table of differences"
        )
    return table[table["corpus"].isin(corpora)].to_dict("records")
