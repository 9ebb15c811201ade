"""Read the .txt or .md files of a folder and its subfolders as texts.

Writes a Parquet table with the columns title (file name), folder (subfolder, if there are any), text.
"""

from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_table
from selfembed.settings.corpora import FolderSource
from selfembed.texts import text_files


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder with the files")
    options.add(parser, FolderSource, keep=("extension", "encoding"))
    command_line.add_outputs(parser, output="Parquet file")
    arguments = parser.parse_args(argv)
    if not arguments.folder.is_dir():
        raise InputError(f"{arguments.folder}: no such folder; expected: a folder with text files")
    table = text_files.read_folder(arguments.folder, arguments.extension, arguments.encoding)
    log.info("%s: %d .%s files", arguments.folder, len(table), arguments.extension)
    write_table(table, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
