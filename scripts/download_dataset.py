"""Download one split of a data set of the Hugging Face hub, at a fixed or the newest revision.

The files are Parquet, JSON, csv or tsv, optionally compressed. Cells contain a text and a label, or lists of both,
which are concatenated in order. Writes a Parquet table with the columns text and, if there are any, label, title and
group, and a JSON file with the revision.
"""

import tempfile
from pathlib import Path

import pandas as pd

from selfembed.downloads import hub, hub_datasets, patience
from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_json, write_table
from selfembed.settings.corpora import HubSource
from selfembed.texts import corpora


def flattened(
    table: pd.DataFrame, text: str, label: str | None, title: str | None = None, group: str | None = None
) -> pd.DataFrame:
    """Return the columns text and, if they are given, label, title and group, with list cells concatenated in order.

    Raises InputError if a column is missing or lists differ in length.
    """
    columns = {"text": text, "label": label, "title": title, "group": group}
    columns = {name: column for name, column in columns.items() if column is not None}
    for column in columns.values():
        if column not in table.columns:
            raise InputError(f"no column '{column}'; columns: {', '.join(table.columns)}")
    flat = table[list(columns.values())].set_axis(list(columns), axis=1)
    if len(flat) and not isinstance(flat["text"].iloc[0], str):
        try:
            flat = flat.explode(list(columns), ignore_index=True)
        except ValueError as error:
            names = " and ".join(f"'{column}'" for column in columns.values())
            raise InputError(f"lists of {names} differ in length") from error
    return flat.assign(label=corpora.as_text(flat["label"])) if label else flat


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    options.add(parser, HubSource)
    patience.add_option(parser)
    command_line.add_outputs(parser, output="Parquet file", origin="JSON file with the revision")
    arguments = parser.parse_args(argv)
    minutes = arguments.patience
    origin = patience.patiently(lambda: hub.origin(arguments.id, arguments.revision, "dataset"), minutes)
    which = arguments.id, origin["revision"], arguments.split, arguments.subset
    columns = arguments.text, arguments.label, arguments.title, arguments.group
    with tempfile.TemporaryDirectory() as folder:
        paths = patience.patiently(lambda: hub_datasets.fetch(*which, Path(folder)), minutes)
        table = pd.concat([flattened(corpora.read_file(path), *columns) for path in paths], ignore_index=True)
    log.info("%s: %d texts", arguments.id, len(table))
    write_table(table, arguments.output)
    subset = {"subset": arguments.subset} if arguments.subset else {}
    write_json(origin | subset | {"split": arguments.split}, arguments.origin)


if __name__ == "__main__":
    command_line.run(main)
