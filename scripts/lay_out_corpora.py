"""Format descriptions of corpora (texts, labels, classes, lengths) as a CSV and a LaTeX table, and as an HTML page."""

import pandas as pd

from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import existing
from selfembed.pages import table_files
from selfembed.settings.figures import CorporaTable


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--descriptions", type=existing, nargs="+", required=True, help="descriptions (CSV)")
    options.add(parser, CorporaTable, keep=("title", "caption"))
    table_files.add_argument(parser)
    arguments = parser.parse_args(argv)
    table = pd.concat([pd.read_csv(path) for path in arguments.descriptions], ignore_index=True)
    lengths = table["mean_length"].map("{:.0f} ± ".format) + table["std_length"].map("{:.0f}".format)
    shown = pd.DataFrame(
        {
            "corpus": table["corpus"],
            "texts": table["texts"].map("{:,}".format),
            "labelled": table["labelled"].map("{:,}".format),
            "classes": table["classes"],
            "length (characters)": lengths,
            "kNN test texts": table["knn_test_size"].map("{:,}".format),
        }
    )
    table_files.write(table, shown, arguments)


if __name__ == "__main__":
    command_line.run(main)
