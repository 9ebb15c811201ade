"""Check a pretrained encoder in a local folder or in an installed Python package, copy it and try it out.

Writes a folder with config, tokenizer, model card, safetensors weights and the modules of a sentence-transformers
folder, and `adapter/` with the files of its adapter, if any.
"""

from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.packages import package_folder
from selfembed.jobs.records import written_whole
from selfembed.settings.encoders import FolderEncoder, PackageEncoder


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    options.add(parser, FolderEncoder | PackageEncoder, "encoder", omit=("max_length", "prompt"))
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    encoder = arguments.encoder
    from selfembed.models import adapters, checkpoints, trial

    if encoder.type == "folder":
        source, adapter = Path(encoder.path), encoder.adapter
    else:
        source, adapter = package_folder(encoder.package) / encoder.folder, None
    if not source.is_dir():
        raise InputError(f"{source}: no such folder; expected: a transformers checkpoint")
    checkpoints.check(source, encoder.layers, encoder.sha256)
    with written_whole(arguments.output) as folder:
        folder.mkdir()
        checkpoints.copy(source, folder)
        if adapter is not None:
            adapters.copy(Path(adapter), folder / adapters.FOLDER)
            adapters.check(folder)
        trial.run(folder, encoder.layers, str(source))
    log.info("%s copied from %s", arguments.output, source)


if __name__ == "__main__":
    command_line.run(main)
