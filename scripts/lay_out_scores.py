"""Format the last-layer scores of an experiment as a CSV and a LaTeX table, and as an HTML page.

Cells are mean ± standard deviation over seeds in per cent, with the published value in parentheses.
"""

from selfembed.evidence import layouts
from selfembed.evidence.counterparts import KEY
from selfembed.jobs import command_line, options
from selfembed.pages import table_files
from selfembed.scores import measures, tables
from selfembed.settings.figures import ScoresTable


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "table")
    command_line.add_inputs(parser, "published", required=False)
    options.add(parser, ScoresTable, omit=("experiment",))
    measures.add_argument(parser)
    what = "corpora that share their texts with another: shown, but excluded from means"
    parser.add_argument("--repeated", nargs="+", default=[], help=what)
    table_files.add_argument(parser)
    arguments = parser.parse_args(argv)
    needed, wanted = ("label", *KEY, "last_layer", "value"), {"score": arguments.scores, "step": arguments.steps}
    ours, published = (
        path and tables.chosen(tables.read(path, *needed), **wanted) for path in (arguments.table, arguments.published)
    )
    table = layouts.lay_out(
        ours,
        published,
        rows=arguments.rows,
        columns=arguments.columns,
        series=arguments.series,
        poolings=arguments.poolings,
        means=arguments.means,
        repeated=arguments.repeated,
        numbers=arguments.measures,
    )
    table_files.write(table, table, arguments)


if __name__ == "__main__":
    command_line.run(main)
