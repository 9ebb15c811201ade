"""Download the data of a task of MTEB's registry, at the registry's revision.

Writes a folder with the English part of the data and `task.json`, from which `score_mteb.py` scores offline.
"""

import os
from typing import TYPE_CHECKING

from selfembed.downloads import patience
from selfembed.errors import InputError, first_line
from selfembed.jobs import command_line
from selfembed.jobs.command_line import log
from selfembed.jobs.records import written_whole

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--task", required=True, help="name of the task in MTEB's registry")
    patience.add_option(parser)
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    with written_whole(arguments.output) as folder:
        folder.mkdir()
        use_cache(str(folder.parent / "cache"))  # beside the folder, deleted with its temporary parent
        from selfembed.tasks import registry_tasks

        task = patience.patiently(lambda: load(arguments.task), arguments.patience)
        registry_tasks.save(task, folder)
        log.info("%s at %s", arguments.task, task.metadata.dataset["revision"])


def load(name: str) -> "AbsTask":
    """Return a task of the registry with its data.

    Raises PassingError if the network or the hub fails, InputError for all other problems.
    """
    from selfembed.downloads import hub
    from selfembed.tasks import registry_tasks

    task = registry_tasks.find(name)
    try:
        task.load_data()
    except Exception as error:  # any error of the hub, the network or the data
        kind = patience.PassingError if hub.can_pass(error) else InputError
        raise kind(f"task '{name}': could not be downloaded: {first_line(error)}; try again") from error
    return task


def use_cache(folder: str) -> None:
    """Set network access and cache folder of Hugging Face libraries, which read them at their first import."""
    os.environ.update(HF_HOME=folder, HF_HUB_OFFLINE="0", HF_DATASETS_OFFLINE="0")
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_DATASETS_CACHE", "HF_MODULES_CACHE", "HF_XET_CACHE"):
        os.environ.pop(name, None)


if __name__ == "__main__":
    command_line.run(main)
