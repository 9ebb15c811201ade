"""What is told of a corpus and a model adapted to it, by the report and by the model's card: gathered from files."""

import argparse
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


@dataclass(frozen=True)
class Account:
    """Facts about a corpus and a model.

    Attributes:
        corpus: name of the corpus that the model was fine-tuned on.
        label: what tables call the model.
        base_label: what tables call the encoder before fine-tuning; None if they do not have it.
        encoder: the encoder in words.
        max_length: tokens that the model reads of a text.
        counts: rows of the source, by where they went; empty if unknown.
        description: sizes and lengths of the corpus.
        recipe: all settings of the run.
        steps: its optimiser steps.
        losses: the loss at every step.
        pairs: number of pairs that it saw.
        own_code: whether the model is loaded together with code of its own.
        rows: rows of the tables of differences, each once.
    """

    corpus: str
    label: str
    base_label: str | None
    encoder: str
    max_length: int
    counts: dict[str, int]
    description: dict[str, Any]
    recipe: dict[str, Any]
    steps: int
    losses: pd.Series
    pairs: int
    own_code: bool
    rows: list[dict[str, Any]]

    def compared(self) -> dict[str, list[dict[str, Any]]]:
        """Rows that compare the model with another, by the other: the encoder before fine-tuning first."""
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
        """Value and ends of its interval, by label (before, the model, others), then by corpus, score and measure."""
        found: dict[str, dict] = {label: {} for label in (self.base_label, self.label) if label is not None}
        for row in self.rows:
            where = row["corpus"], row["score"], row["measure"]
            for label, prefix in ((row["against"], "against_"), (row["label"], "")):
                numbers = tuple(row[f"{prefix}{name}"] for name in ("value", "low", "high"))
                found.setdefault(label, {}).setdefault(where, numbers)
        return {label: numbers for label, numbers in found.items() if numbers}


def is_main(row: dict[str, Any], rows: list[dict[str, Any]]) -> bool:
    """Whether a row is of a main measure; where none of the rows is, all are."""
    main = {name for name, measure in measures.MEASURES.items() if measure.is_main}
    return row["measure"] in main or main.isdisjoint(other["measure"] for other in rows)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that name the files of an account."""
    parser.add_argument("--corpus", required=True, help="name of the corpus")
    parser.add_argument("--label", required=True, help="what tables call the model")
    parser.add_argument("--base-label", help="what tables call the encoder before fine-tuning")
    parser.add_argument("--encoder", required=True, help="the encoder in words")
    parser.add_argument("--base", type=existing, help="base model whose revision the words for the encoder lack")
    parser.add_argument("--max-length", type=at_least(1), required=True, help="tokens that the model reads of a text")
    parser.add_argument("--counts", type=existing, required=True, help="where the rows of the source went (JSON)")
    parser.add_argument("--description", type=existing, required=True, help="description of the corpus (CSV)")
    parser.add_argument("--run", type=existing, required=True, help="folder of the run")
    parser.add_argument("--step", default="final", help="step of the run")
    parser.add_argument("--pairs-settings", type=existing, required=True, help="how the run's pairs were made (JSON)")
    parser.add_argument("--differences", type=existing, nargs="+", required=True, help="tables of differences (CSV)")
    parser.add_argument("--corpora", nargs="+", required=True, help="corpora that the model is scored on")


def read(arguments: argparse.Namespace) -> Account:
    """The account of the files that arguments name.

    Raises InputError if one is not what it should be, or if no table compares the model with another.
    """
    run = read_json(arguments.run / "run.json", "recipe", "steps")
    pairs = read_json(arguments.pairs_settings, "pairs")
    described = tables.read(arguments.description, "texts", "labelled", "classes", "mean_length")
    losses = tables.read(arguments.run / "loss.csv", "loss")["loss"]
    for path, table in ((arguments.description, described), (arguments.run / "loss.csv", losses)):
        if not len(table):
            raise InputError(f"{path}: has no row; needed: at least one")
    folder = arguments.run / arguments.step
    check_model(folder)
    found = Account(
        corpus=arguments.corpus,
        label=arguments.label,
        base_label=arguments.base_label,
        encoder=arguments.encoder if arguments.base is None else with_revision(arguments.encoder, arguments.base),
        max_length=arguments.max_length,
        counts=read_json(arguments.counts, "rows")["rows"],
        description=described.iloc[0].to_dict(),
        recipe=run["recipe"],
        steps=run["steps"],
        losses=losses,
        pairs=pairs["pairs"],
        own_code=any(folder.glob("*.py")),
        rows=[row for path in arguments.differences for row in read_differences(path, arguments.corpora)],
    )
    if not found.compared():
        raise InputError(
            f"{', '.join(map(str, arguments.differences))}: no row compares '{found.label}' with another model on "
            f"{', '.join(arguments.corpora)}; needed: such a table of differences"
        )
    return found


def with_revision(encoder: str, base: Path) -> str:
    """An encoder of the hub in words, and the revision that was the newest when its base model was fetched.

    Raises InputError if the base model does not say which that was.
    """
    revision = read_json(base / "model.json", "revision")["revision"]
    return f"{encoder}, at revision {revision[:8]}, the newest when it was fetched"


def check_model(folder: Path) -> None:
    """Raise InputError unless a step of a run holds a model."""
    if divergence.of_model(folder):
        raise InputError(f"{folder}: the run diverged, so there is no model; needed: a run that did not")
    if not (folder / "modules.json").is_file():
        raise InputError(f"{folder}: no model is there; needed: a step that the run kept")


def read_differences(path: Path, corpora: list[str]) -> list[dict[str, Any]]:
    """Rows of a table of differences on some corpora.

    Raises InputError if the file is none.
    """
    table = tables.read(path, *DIFFERENCE_COLUMNS).astype({"label": str, "against": str, "corpus": str, "score": str})
    unknown = set(table["measure"]) - set(measures.MEASURES)
    if unknown:
        raise InputError(f"{path}: measure {sorted(map(str, unknown))[0]!r} is unknown; needed: a table of differences")
    return table[table["corpus"].isin(corpora)].to_dict("records")
