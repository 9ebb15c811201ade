"""The facts in the report and the model card, read from files."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from selfembed.errors import InputError
from selfembed.evidence import choice
from selfembed.evidence.choice import Choice
from selfembed.jobs import command_line
from selfembed.jobs.command_line import Parser, at_least, existing
from selfembed.jobs.records import read_json
from selfembed.models import interpolation, own_modules
from selfembed.scores import measures, tables
from selfembed.training import divergence

DIFFERENCE_COLUMNS = (
    *("purpose", "is_candidate", "corpus", "score", "measure", "label", "against"),
    *("n_texts", "n_seeds", "against_seeds"),
    *("value", "low", "high", "against_value", "against_low", "against_high"),
    *("difference", "difference_low", "difference_high", "verdict", "sentence"),
)
EXPORT_COLUMNS = (
    *("corpus", "score", "measure", "label", "against", "value", "against_value"),
    *("difference", "difference_low", "difference_high"),
    *("megabytes", "vector_bytes", "texts_per_second", "speed", "threads"),
    *("against_megabytes", "against_vector_bytes", "against_texts_per_second"),
)
ORIGIN = ("repository", "revision", "weights", "licence")


@dataclass(frozen=True)
class Run:
    """The fine-tuning of a model.

    Attributes:
        losses: the loss at every optimiser step.
        pairs: number of training pairs.
        fraction: of the way from the encoder before fine-tuning to the fine-tuned model; None: all of it.
    """

    recipe: dict[str, Any]
    steps: int
    losses: pd.Series
    pairs: int
    fraction: float | None


@dataclass(frozen=True)
class Account:
    """Facts about a corpus and the model that was chosen for it.

    Attributes:
        model: folder of the chosen model.
        run: its fine-tuning; None if it is not fine-tuned.
        word_counts: settings of the word counts beside its vectors; None without.
        origin: where the encoder's weights are from, as far as known: `repository` and `revision` (Hugging Face Hub),
            `weights` (SHA-256) and `licence` (keys of `model_cards.LICENCE`).
        own: description of the encoder's own modules (`OwnModules.described`); empty if it has none.
        pooling: pooling of the candidates.
        max_length: maximum number of tokens per text.
        counts: numbers of rows of the source that were kept or excluded, by reason; empty if unknown.
        sentences: how texts were split into sentences.
        drop_repeated: sentences in at least this many texts were dropped; None if none were.
        description: sizes and lengths of the corpus.
        own_code: whether the model folder contains code needed to load it.
        rows: comparisons of all models with the encoder before fine-tuning, on all test texts.
    """

    corpus: str
    choice: Choice
    model: Path
    run: Run | None
    word_counts: dict[str, Any] | None
    encoder: str
    origin: dict[str, Any]
    own: dict[str, Any]
    pooling: str
    max_length: int
    counts: dict[str, int]
    sentences: str
    drop_repeated: int | None
    description: dict[str, Any]
    own_code: bool
    rows: list[dict[str, Any]]

    def of_purpose(self, purpose: str) -> list[dict[str, Any]]:
        """Comparisons by main measures for a purpose."""
        return [row for row in self.rows if row["purpose"] == purpose and measures.MEASURES[row["measure"]].is_main]

    def of_table(self) -> list[dict[str, Any]]:
        """Comparisons to show: by main measures and, where classes are balanced, by accuracy; search is first."""
        shown = [
            row for row in self.rows if measures.MEASURES[row["measure"]].is_main or row["measure"] == measures.BALANCED
        ]
        return sorted(shown, key=lambda row: row["purpose"] != "search")


def add_arguments(parser: Parser) -> None:
    """Add the arguments for the files of an account."""
    parser.add_argument("--corpus", required=True, help="name of the corpus")
    parser.add_argument("--encoder", required=True, help="description of the encoder")
    parser.add_argument("--base", type=existing, required=True, help="base model of the encoder")
    parser.add_argument("--max-length", type=at_least(1), required=True, help="maximum number of tokens per text")
    parser.add_argument("--pooling", required=True, help="pooling of the candidates")
    parser.add_argument(
        "--counts", type=existing, required=True, help="numbers of kept and excluded rows of the source (JSON)"
    )
    parser.add_argument("--description", type=existing, required=True, help="description of the corpus (CSV)")
    parser.add_argument("--choice", type=existing, required=True, help="the choice of a model (JSON)")
    parser.add_argument("--table", type=existing, required=True, help="scores of all models (CSV)")
    what = (
        "label, step and paths of a candidate: folder with its steps and, if it is fine-tuned, the record of the run "
        "(loss.csv, run.json) and the settings of its pairs (JSON); repeatable"
    )
    command_line.add_entries(parser, ["label", "step"], what, option="--candidate")


def read(arguments: argparse.Namespace) -> Account:
    """Read the account from the files given as arguments.

    Raises InputError if a file is invalid, or if the chosen model is not among the candidates.
    """
    chosen = choice.read(arguments.choice)
    folder, run = model_of(chosen.label, arguments)
    described = tables.read(arguments.description, "texts", "labelled", "classes", "mean_length")
    if not len(described):
        raise InputError(f"{arguments.description}: no rows; expected: at least one")
    prepared = read_json(arguments.counts, "rows")
    model = read_json(arguments.base / "model.json") if (arguments.base / "model.json").is_file() else {}
    own = model.get("own") or {}
    limits = [arguments.max_length, own["max_length"] if arguments.pooling == "own" and own else None]
    return Account(
        corpus=arguments.corpus,
        choice=chosen,
        model=folder,
        run=run,
        word_counts=word_counts_of(folder),
        encoder=with_revision(arguments.encoder, model),
        origin={key: model[key] for key in ORIGIN if model.get(key)},
        own=own,
        pooling=arguments.pooling,
        max_length=min(limit for limit in limits if limit is not None),
        counts=prepared["rows"],
        sentences=prepared.get("sentences", "paper"),
        drop_repeated=prepared.get("drop_repeated"),
        description=described.iloc[0].to_dict(),
        own_code=any(folder.glob("*.py")),
        rows=read_differences(arguments.table),
    )


def model_of(label: str, arguments: argparse.Namespace) -> tuple[Path, Run | None]:
    """Return the folder of a candidate and its fine-tuning; None if it is an encoder without fine-tuning.

    Raises InputError if there is no such candidate, or if it has no model.
    """
    found = {words["label"]: (words["step"], paths) for words, paths in arguments.candidate}
    if label not in found:
        raise InputError(f"{arguments.choice}: '{label}' is chosen; expected: one of {', '.join(found)}")
    step, (folder, *facts) = found[label]
    check_model(folder / step)
    if not facts:
        return folder / step, None
    record, pairs = facts
    described = read_json(record / "run.json", "recipe", "steps")
    losses = tables.read(record / "loss.csv", "loss")["loss"]
    if not len(losses):
        raise InputError(f"{record / 'loss.csv'}: no rows; expected: at least one")
    number = read_json(pairs, "pairs")["pairs"]
    fraction = interpolation.fraction_of(step)
    return folder / step, Run(described["recipe"], described["steps"], losses, number, fraction)


def word_counts_of(model: Path) -> dict[str, Any] | None:
    """Settings of the word counts of a saved model; None if it has none."""
    folders = [model / module.folder for module in own_modules.listed(model) if module.kind == "WordCounts"]
    return read_json(folders[0] / "config.json", "components") if folders else None


def with_revision(encoder: str, model: dict[str, Any]) -> str:
    """Description of an encoder with its revision, if it is the newest when the base model was downloaded."""
    if "revision" not in model or model["revision"][:8] in encoder:
        return encoder
    return f"{encoder}, at revision {model['revision'][:8]}, the newest when it was downloaded"


def check_model(folder: Path) -> None:
    """Raise InputError unless a folder, such as a step of a run, contains a model."""
    if divergence.of_model(folder):
        raise InputError(f"{folder}: the run diverged and has no model; expected: a run that did not diverge")
    if not (folder / "modules.json").is_file():
        raise InputError(f"{folder}: contains no model; expected: a step that the run kept")


def read_differences(path: Path, columns: tuple[str, ...] = DIFFERENCE_COLUMNS) -> list[dict[str, Any]]:
    """Rows of a table of comparisons.

    Raises InputError if the file is not such a table.
    """
    table = tables.read(path, *columns).astype({"label": str, "against": str, "corpus": str, "score": str})
    unknown = set(table["measure"]) - set(measures.MEASURES)
    if unknown:
        raise InputError(
            f"{path}: measure {sorted(map(str, unknown))[0]!r} is unknown; expected: a table of comparisons"
        )
    return table.to_dict("records")
