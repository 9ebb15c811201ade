"""Download the data of a task of MTEB's registry, at the registry's revision; English part only.

The only step with MTEB's data on the network. Writes a folder with a Hugging Face cache from which `score_mteb.py`
loads the task offline, and `task.json`, which says what it holds.
"""

import hashlib
import os
from pathlib import Path

from selfembed import command_line
from selfembed.command_line import log
from selfembed.errors import InputError
from selfembed.records import checksum, provenance, write_json, written_whole


def checksum_of_folder(folder: Path) -> str:
    """SHA-256 over names and checksums of the data files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in {".arrow", ".parquet", ".jsonl", ".gz", ".json", ".tsv"}:
            digest.update(f"{path.name} {checksum(path)}\n".encode())
    return digest.hexdigest()


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--task", required=True, help="name of the task in MTEB's registry")
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    with written_whole(arguments.output) as folder:
        folder.mkdir()
        os.environ.update(HF_HOME=str(folder), HF_HUB_OFFLINE="0")  # before datasets is imported
        from selfembed import tasks

        task = tasks.registry_task(arguments.task)
        try:
            task.load_data()
        except Exception as error:  # whatever the hub, the network or the data did: one line
            reason = str(error).splitlines()[0]
            raise InputError(f"task '{arguments.task}': could not be downloaded: {reason}; try again") from error
        log.info("%s at %s", arguments.task, task.metadata.dataset["revision"])
        facts = {"task": arguments.task, "dataset": task.metadata.dataset, "data": checksum_of_folder(folder)}
        write_json(provenance(**facts), folder / "task.json")


if __name__ == "__main__":
    command_line.run(main)
