"""Download the data of a task of MTEB's registry, at the registry's revision.

Writes a folder with the English part of the data and `task.json`, from which `score_mteb.py` scores offline.
"""

import os

from selfembed.errors import InputError, first_line
from selfembed.jobs import command_line
from selfembed.jobs.command_line import log
from selfembed.jobs.records import written_whole


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--task", required=True, help="name of the task in MTEB's registry")
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    with written_whole(arguments.output) as folder:
        folder.mkdir()
        use_cache(str(folder.parent / "cache"))  # beside the folder, deleted with its temporary parent
        from selfembed.tasks import registry_tasks

        task = registry_tasks.find(arguments.task)
        try:
            task.load_data()
        except Exception as error:  # any error of the hub, the network or the data
            message = f"could not be downloaded: {first_line(error)}; try again"
            raise InputError(f"task '{arguments.task}': {message}") from error
        registry_tasks.save(task, folder)
        log.info("%s at %s", arguments.task, task.metadata.dataset["revision"])


def use_cache(folder: str) -> None:
    """Set network access and cache folder of Hugging Face libraries, which read them at their first import."""
    os.environ.update(HF_HOME=folder, HF_HUB_OFFLINE="0", HF_DATASETS_OFFLINE="0")
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_DATASETS_CACHE", "HF_MODULES_CACHE", "HF_XET_CACHE"):
        os.environ.pop(name, None)


if __name__ == "__main__":
    command_line.run(main)
