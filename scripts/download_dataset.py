"""Download one split of a data set of the Hugging Face hub, at a fixed or the newest revision.

The files are Parquet or JSON lines, optionally compressed. Cells contain a text and a label, or lists of both, which
are concatenated in order. Writes a Parquet table with the columns text and label, and a JSON file with the revision.
"""

import re
import tempfile
from pathlib import Path

import pandas as pd

from selfembed.downloads import hub
from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_json, write_table
from selfembed.settings.corpora import HubSource

ENDINGS = (".parquet", ".jsonl", ".jsonl.gz", ".json", ".json.gz")


def files_of_split(names: list[str], split: str) -> list[str]:
    """Select the files of a split, such as `test.jsonl.gz` or `data/test-00000-of-00001.parquet`; prefer Parquet.

    Raises InputError if there is none.
    """
    named = re.compile(rf"(^|/){re.escape(split)}(-[^/]*)?\.[^/]*$|(^|/){re.escape(split)}/[^/]+$")
    found = [name for name in names if named.search(name) and name.endswith(ENDINGS)]
    parquet = [name for name in found if name.endswith(".parquet")]
    if not found:
        raise InputError(f"no file of split '{split}' among {', '.join(names)}; expected: {', '.join(ENDINGS)}")
    return parquet or found


def flattened(table: pd.DataFrame, text: str, label: str) -> pd.DataFrame:
    """Return the columns text and label, with list cells concatenated in order.

    Raises InputError if a column is missing or lists differ in length.
    """
    for column in (text, label):
        if column not in table.columns:
            raise InputError(f"no column '{column}'; columns: {', '.join(table.columns)}")
    flat = table[[text, label]].rename(columns={text: "text", label: "label"})
    if len(flat) and not isinstance(flat["text"].iloc[0], str):
        try:
            flat = flat.explode(["text", "label"], ignore_index=True)
        except ValueError as error:
            raise InputError(f"lists of '{text}' and '{label}' differ in length") from error
    return flat.astype({"label": str})


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    options.add(parser, HubSource)
    command_line.add_outputs(parser, output="Parquet file", origin="JSON file with the revision")
    arguments = parser.parse_args(argv)
    origin = hub.origin(arguments.id, arguments.revision, "dataset")
    revision, parts = origin["revision"], []
    with tempfile.TemporaryDirectory() as folder:
        for name in files_of_split(hub.files(arguments.id, revision, "dataset"), arguments.split):
            path = hub.fetch(arguments.id, revision, name, Path(folder), "dataset")
            table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_json(path, lines=True, dtype=False)
            parts.append(flattened(table, arguments.text, arguments.label))
    table = pd.concat(parts, ignore_index=True)
    log.info("%s: %d texts, %d labels", arguments.id, len(table), table["label"].nunique())
    write_table(table, arguments.output)
    write_json(origin | {"split": arguments.split}, arguments.origin)


if __name__ == "__main__":
    command_line.run(main)
