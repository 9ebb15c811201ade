"""Judge claims by scores: an estimate with a 95 % interval for each comparison, and a verdict for each claim.

Reads claims (JSON), score files (CSV) with outcomes of texts beside them (Parquet), and published numbers. Without
score files, only published numbers are shown. Writes a CSV table with a row per estimate, also as Markdown, LaTeX and
HTML.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from selfembed.evidence import claims, layouts
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_table, write_text
from selfembed.pages import claims_page
from selfembed.scores import outcomes, tables
from selfembed.settings.figures import DifferencesTable


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--claims", type=parsed, required=True, help="the claims (JSON)")
    what = "experiment, label, and score files (CSV); repeatable"
    command_line.add_entries(parser, ["experiment", "label"], what, required=False)
    command_line.add_inputs(parser, "published", required=False)
    options.add(parser, DifferencesTable, keep=("resamples", "seed"))
    parser.add_argument("--output", type=Path, nargs=4, required=True, help="CSV, Markdown, LaTeX, HTML file to write")
    arguments = parser.parse_args(argv)
    parts = [
        tables.read(path, *tables.SCORE_COLUMNS).assign(**names, path=str(path))
        for names, paths in arguments.entry
        for path in paths
    ]
    judged = claims.judge(
        arguments.claims,
        pd.concat(parts, ignore_index=True) if parts else None,
        outcomes.of_rows,
        tables.read(arguments.published, "experiment", *tables.SCORE_COLUMNS) if arguments.published else None,
        resamples=arguments.resamples,
        seed=arguments.seed,
    )
    for claim, _ in claims_page.grouped(judged):
        log.info("%s: %s", claim["verdict"], claim["sentence"])
    csv, markdown, latex, html = arguments.output
    write_table(judged, csv)
    write_text(claims_page.markdown(judged), markdown)
    write_text(layouts.latex(claims_page.for_print(judged), "Claims and their verdicts."), latex)
    write_text(claims_page.html(judged), html)


def parsed(text: str) -> list[dict]:
    """Argument type: claims as JSON."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"invalid JSON ({error}); expected: claims written by the workflow") from error


if __name__ == "__main__":
    command_line.run(main)
