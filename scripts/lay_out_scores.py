"""Lay out the scores of an experiment as a table for print.

Reads the experiment's table and, if given, the published numbers. Writes a CSV and a LaTeX table of the last layers:
per cent, mean ± standard deviation over seeds, the published value in parentheses.
"""

from pathlib import Path

from selfembed.evidence import layouts
from selfembed.evidence.counterparts import KEY
from selfembed.jobs import command_line
from selfembed.jobs.command_line import existing
from selfembed.jobs.records import write_table, write_text
from selfembed.scores import measures, tables

AXES = ["label", "series", "corpus", "score", "step", "x", "pooling"]


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--table", type=existing, required=True, help="table of the experiment (CSV)")
    parser.add_argument("--published", type=existing, help="published numbers of the experiment (CSV)")
    parser.add_argument("--rows", choices=AXES, default="series", help="what the rows are")
    parser.add_argument("--columns", choices=AXES, default="corpus", help="what the columns are")
    parser.add_argument("--series", nargs="+", default=[], help="labels shown, in this order; default: all")
    parser.add_argument("--scores", nargs="+", default=[], help="scores shown; default: all")
    measures.add_argument(parser)
    parser.add_argument("--steps", nargs="+", default=[], help="steps shown; default: all")
    parser.add_argument("--poolings", nargs="+", default=["mean"], help="poolings shown")
    parser.add_argument("--means", action="store_true", help="add means over corpora, or over tasks, by block")
    parser.add_argument(
        "--repeated", nargs="+", default=[], help="corpora with the texts of another: shown, but in no mean"
    )
    parser.add_argument("--caption", default="", help="caption of the LaTeX table")
    parser.add_argument("--output", type=Path, nargs=2, required=True, help="CSV and LaTeX file to write")
    arguments = parser.parse_args(argv)
    ours, published = (
        tables.chosen(
            tables.read(path, "label", *KEY, "last_layer", "value"),
            score=arguments.scores,
            step=arguments.steps,
        )
        if path
        else None
        for path in (arguments.table, arguments.published)
    )
    table = layouts.lay_out(
        ours,
        published,
        arguments.rows,
        arguments.columns,
        arguments.series,
        arguments.poolings,
        arguments.means,
        arguments.repeated,
        measures.read(arguments.measures),
    )
    write_table(table, arguments.output[0])
    write_text(layouts.latex(table, arguments.caption), arguments.output[1])


if __name__ == "__main__":
    command_line.run(main)
