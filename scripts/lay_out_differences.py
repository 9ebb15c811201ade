"""Format differences between the scores of models and of one reference model, with 95 % intervals and verdicts.

Reads score files (CSV) with outcomes of texts beside them (Parquet). Compares last layers on the same texts. Writes a
CSV table, whose last column is a sentence per comparison, a LaTeX table and an HTML page.
"""

from pathlib import Path

from selfembed.evidence import differences, layouts
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_table, write_text
from selfembed.pages import table_page
from selfembed.scores import measures, outcomes, tables
from selfembed.settings.figures import DifferencesTable

NAMES = tuple(tables.LINE_COLUMNS)


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    what = "label, series, x and group (x and group may be empty), and score files (CSV); repeatable"
    command_line.add_entries(parser, NAMES, what)
    options.add(parser, DifferencesTable, omit=("experiment",))
    measures.add_argument(parser)
    parser.add_argument("--output", type=Path, nargs=3, required=True, help="CSV, LaTeX and HTML file to write")
    arguments = parser.parse_args(argv)
    scores, by_text = outcomes.of_files(
        command_line.read_entries(arguments.entry, NAMES),
        pooling=[arguments.pooling, "none"],
        score=arguments.scores,
        step=arguments.steps,
    )
    table = differences.compare(
        scores,
        by_text,
        against=arguments.against,
        labels=arguments.labels,
        numbers=arguments.measures,
        resamples=arguments.resamples,
        seed=arguments.seed,
    )
    for sentence in table["sentence"]:
        log.info(sentence)
    write_table(table, arguments.output[0])
    shown = differences.for_print(table)
    write_text(layouts.latex(shown, arguments.caption), arguments.output[1])
    title = arguments.title or arguments.output[0].stem
    write_text(table_page.html(title, shown, arguments.caption), arguments.output[2])


if __name__ == "__main__":
    command_line.run(main)
