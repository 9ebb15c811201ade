"""Choose between an encoder before fine-tuning and the models fine-tuned from it, for a purpose.

Reads score files (CSV) with outcomes of texts beside them (Parquet). Writes the choice (JSON), and a table of all
models (CSV): their scores on all test texts and the differences from the encoder, with 95 % intervals.
"""

from dataclasses import asdict

import pandas as pd

from selfembed.errors import InputError
from selfembed.evidence import choice, differences
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import provenance, write_json, write_table
from selfembed.scores import measures, outcomes, tables
from selfembed.settings.figures import DifferencesTable
from selfembed.settings.report import Report


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    what = "search or grouping; label, series, x and group (x and group may be empty), and score files (CSV)"
    command_line.add_entries(parser, ["purpose", *tables.LINE_COLUMNS], f"{what}; repeatable")
    options.add(parser, Report, keep=("purpose", "keep"))
    parser.add_argument("--candidates", nargs="+", required=True, help="labels of the models that may be chosen")
    options.add(parser, DifferencesTable, keep=("resamples", "seed"))
    measures.add_argument(parser)
    command_line.add_outputs(parser, output="JSON file", table="CSV file")
    arguments = parser.parse_args(argv)
    scores, by_text = outcomes.of_files(arguments.entry)
    found = {}
    compared = []
    for purpose, group in scores.groupby("purpose", sort=False):
        of_group = [by_text[position] for position in group.index]
        found[str(purpose)] = main_outcomes(group.reset_index(drop=True), of_group, arguments.measures)
        table = differences.compare(
            group,
            of_group,
            against=arguments.keep,
            labels=[],
            numbers=arguments.measures,
            resamples=arguments.resamples,
            seed=arguments.seed,
        )
        compared.append(table.assign(purpose=purpose, is_candidate=table["label"].isin(arguments.candidates)))
    chosen = choice.choose(found, arguments.keep, arguments.candidates, arguments.purpose, arguments.seed)
    log.info("chosen for %s: %s", arguments.purpose, chosen.label)
    write_json(provenance(**asdict(chosen)), arguments.output)
    write_table(pd.concat(compared, ignore_index=True), arguments.table)


def main_outcomes(scores: pd.DataFrame, by_text: list[pd.Series], numbers: dict[str, measures.Number]) -> pd.DataFrame:
    """Return the mean of a text's outcomes over main scores and seeds, by label; shape (texts, labels).

    Raises InputError if there is no main score.
    """
    is_main = [measures.of(score, numbers).is_main for score in scores["score"]]
    parts: dict[str, list[pd.Series]] = {}
    for label, outcome, counts in zip(scores["label"], by_text, is_main, strict=True):
        if counts and not outcome.empty:
            parts.setdefault(label, []).append(outcome.astype(float))
    if not parts:
        raise InputError(f"no main score among {', '.join(scores['score'].unique())}; expected: accuracies or recall@1")
    return pd.DataFrame({label: pd.concat(found, axis=1).mean(axis=1) for label, found in parts.items()})


if __name__ == "__main__":
    command_line.run(main)
