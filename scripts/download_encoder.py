"""Download a pretrained encoder from the Hugging Face hub, at a fixed or the newest revision, and its adapter, if any.

Writes a folder with config, tokenizer, model card, safetensors weights, the modules of a sentence-transformers
repository and `revision.json`, and `adapter/` with the files of an adapter. No other files and no code are downloaded.
Weights in parts or in PyTorch's format are read without executing code and saved as one safetensors file.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from selfembed.downloads import hub, patience
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_json, written_whole
from selfembed.models import model_cards, own_modules
from selfembed.settings.encoders import HubAdapter, HubEncoder

OPTIONAL = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    own_modules.MODULES,
    model_cards.CARD,
)


def fetch_weights(repository: str, revision: str, folder: Path, names: Sequence[str]) -> None:
    """Download the first of the files `names` that exists, and convert it to the first of the names.

    Args:
        names: of a safetensors file, and of files in other formats or indexes that list files.

    Raises InputError if the repository has none of them, or if they cannot be read without executing code.
    """
    from selfembed.models import checkpoints

    listed = hub.files(repository, revision)
    name = next((name for name in names if name in listed), names[0])
    found = hub.fetch(repository, revision, name, folder)
    if name == names[0]:
        return
    log.info("%s: no %s; converting %s", repository, names[0], name)
    parts = [found]
    if name.endswith(checkpoints.INDEX):
        parts = [hub.fetch(repository, revision, path.name, folder) for path in checkpoints.parts(found)]
    checkpoints.convert(parts, folder / names[0])
    for path in {found, *parts}:
        path.unlink()


def fetch_modules(repository: str, revision: str, folder: Path) -> None:
    """Download settings and weights of the modules in `modules.json`, if the folder has it."""
    hub.fetch_existing(repository, revision, own_modules.small_files(folder), folder)
    for name in own_modules.folders_of_weights(folder):
        files = [f"{name}/{file}" for file in (own_modules.WEIGHTS, own_modules.OTHER_WEIGHTS)]
        fetch_weights(repository, revision, folder, files)


def fetch_adapter(repository: str, revision: str | None, folder: Path) -> None:
    """Download an adapter at a fixed or the newest revision, and write its `revision.json`."""
    from selfembed.models import adapters, checkpoints

    origin = hub.origin(repository, revision)
    hub.fetch(repository, origin["revision"], adapters.CONFIG, folder)
    fetch_weights(repository, origin["revision"], folder, (adapters.WEIGHTS, adapters.OTHER_WEIGHTS))
    write_json(origin, folder / checkpoints.REVISION)


def fetch_encoder(arguments: argparse.Namespace, folder: Path) -> None:
    """Download an encoder and its adapter, if any, and check that their weights can be read."""
    from selfembed.models import adapters, checkpoints

    origin = hub.origin(arguments.id, arguments.revision)
    revision = origin["revision"]
    hub.fetch(arguments.id, revision, "config.json", folder)
    hub.fetch_existing(arguments.id, revision, OPTIONAL, folder)
    fetch_modules(arguments.id, revision, folder)
    fetch_weights(arguments.id, revision, folder, checkpoints.FORMATS)
    checkpoints.check(folder, arguments.layers)
    write_json(origin, folder / checkpoints.REVISION)
    if arguments.adapter is not None:
        fetch_adapter(arguments.adapter.id, arguments.adapter.revision, folder / adapters.FOLDER)
        adapters.check(folder)


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    options.add(parser, HubEncoder, omit=("adapter", "max_length", "prompt"))
    options.add(parser, HubAdapter, "adapter", prefix="adapter-", optional=True)
    patience.add_option(parser)
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    with written_whole(arguments.output) as folder:
        patience.patiently(lambda: fetch_encoder(arguments, folder), arguments.patience)


if __name__ == "__main__":
    command_line.run(main)
