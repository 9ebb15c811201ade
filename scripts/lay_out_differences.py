"""Format differences between the scores of models and of one reference model, with 95 % intervals and verdicts.

Reads score files (CSV) with outcomes of texts beside them (Parquet). Compares last layers on the same texts. Writes a
CSV table, whose last column is a sentence per comparison, a LaTeX table and an HTML page.
"""

from selfembed.evidence import differences
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.pages import table_files
from selfembed.scores import measures, outcomes, tables
from selfembed.settings.figures import DifferencesTable


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    what = "label, series, x and group (x and group may be empty), and score files (CSV); repeatable"
    command_line.add_entries(parser, tables.LINE_COLUMNS, what)
    options.add(parser, DifferencesTable, omit=("experiment",))
    measures.add_argument(parser)
    table_files.add_argument(parser)
    arguments = parser.parse_args(argv)
    scores, by_text = outcomes.of_files(
        arguments.entry,
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
    table_files.write(table, differences.for_print(table), arguments)


if __name__ == "__main__":
    command_line.run(main)
