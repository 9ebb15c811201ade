"""Format descriptions of corpora (texts, labels, classes, lengths) as a CSV and a LaTeX table, and as an HTML page."""

from pathlib import Path

import pandas as pd

from selfembed.evidence import layouts
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import existing
from selfembed.jobs.records import write_table, write_text
from selfembed.pages import table_page
from selfembed.settings.figures import CorporaTable


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--descriptions", type=existing, nargs="+", required=True, help="descriptions (CSV)")
    options.add(parser, CorporaTable, keep=("title", "caption"))
    parser.add_argument("--output", type=Path, nargs=3, required=True, help="CSV, LaTeX and HTML file to write")
    arguments = parser.parse_args(argv)
    table = pd.concat([pd.read_csv(path) for path in arguments.descriptions], ignore_index=True)
    write_table(table, arguments.output[0])
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
    write_text(layouts.latex(shown, arguments.caption), arguments.output[1])
    title = arguments.title or arguments.output[0].stem
    write_text(table_page.html(title, shown, arguments.caption), arguments.output[2])


if __name__ == "__main__":
    command_line.run(main)
