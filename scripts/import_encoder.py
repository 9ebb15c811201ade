"""Copy a pretrained encoder from a local folder or from inside an installed Python package, after checking it.

Writes a folder with config, tokenizer and safetensors weights, and `adapter/` in it with those of an adapter, if it has
one.
"""

import shutil
from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, log
from selfembed.jobs.packages import package_folder
from selfembed.jobs.records import written_whole


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--type", choices=["folder", "package"], required=True, help="where the encoder lies")
    parser.add_argument("--path", help="the folder (type folder)")
    parser.add_argument("--package", help="import name of the package (type package)")
    parser.add_argument("--folder", help="folder inside the package (type package)")
    parser.add_argument("--sha256", help="SHA-256 that model.safetensors must have")
    parser.add_argument(
        "--layers", type=at_least(1), required=True, help="transformer layers that the weights must have"
    )
    parser.add_argument("--adapter", help="folder with an adapter of the adapters library (type folder)")
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    from selfembed.models import adapters, checkpoints

    source = (
        Path(arguments.path) if arguments.type == "folder" else package_folder(arguments.package) / arguments.folder
    )
    if not source.is_dir():
        raise InputError(f"{source}: no such folder; needed: a transformers checkpoint")
    checkpoints.check(source, arguments.layers, arguments.sha256)
    with written_whole(arguments.output) as folder:
        folder.mkdir()
        for path in sorted(source.iterdir()):
            # A revision is of what the hub gave, not of what is in a folder now.
            if path.suffix in {".json", ".txt", ".safetensors"} and path.name != checkpoints.REVISION:
                shutil.copy(path, folder)
        if arguments.adapter is not None:
            adapters.copy(Path(arguments.adapter), folder / adapters.FOLDER)
            adapters.check(folder)
    log.info("%s copied from %s", arguments.output, source)


if __name__ == "__main__":
    command_line.run(main)
