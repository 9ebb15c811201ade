"""A laid-out table as a CSV file, a LaTeX file and an HTML page."""

import argparse
from pathlib import Path

import pandas as pd

from selfembed.evidence import layouts
from selfembed.jobs.records import write_table, write_text
from selfembed.pages import table_page


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument `--output` for the three files."""
    parser.add_argument("--output", type=Path, nargs=3, required=True, help="CSV, LaTeX and HTML file to write")


def write(table: pd.DataFrame, shown: pd.DataFrame, arguments: argparse.Namespace) -> None:
    """Write a table.

    Args:
        table: rows of the CSV file.
        shown: the same as text, for LaTeX and HTML.
        arguments: `output`, `title` (if it is empty, the name of the files is the title) and `caption`.
    """
    csv, latex, page = arguments.output
    write_table(table, csv)
    write_text(layouts.latex(shown, arguments.caption), latex)
    write_text(table_page.html(arguments.title or csv.stem, shown, arguments.caption), page)
