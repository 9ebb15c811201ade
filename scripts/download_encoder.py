"""Download a pretrained encoder from the Hugging Face hub, at a fixed revision, with an adapter if it has one.

The only step that fetches weights from the network. Writes a folder with config, tokenizer and safetensors weights, and
`adapter/` in it with those of the adapter; no other file, and no code, is fetched. Where a revision has PyTorch's own
format only, the tensors in it are read without running code and written as safetensors.
"""

from contextlib import suppress
from pathlib import Path

from selfembed import command_line, hub
from selfembed.command_line import at_least, log
from selfembed.hub import MissingFileError
from selfembed.records import write_json, written_whole

OPTIONAL = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)


def fetch_weights(repository: str, revision: str, folder: Path, name: str, other: str) -> None:
    """Fetch the weights as the safetensors file `name`; converted from the file `other` if there is none.

    Raises InputError if the repository has neither, or if its weights cannot be read without running code.
    """
    try:
        hub.fetch(repository, revision, name, folder)
    except MissingFileError:
        from selfembed import checkpoints

        log.info("%s: no %s; converting %s", repository, name, other)
        weights = hub.fetch(repository, revision, other, folder)
        checkpoints.convert(weights, folder / name)
        weights.unlink()


def fetch_adapter(repository: str, revision: str | None, folder: Path) -> None:
    """Fetch an adapter and what says where it is from (`source.json`: `id`, `revision`, whether that was `pinned`).

    Without a revision it is the newest.

    Raises InputError if the repository has no adapter, or if its weights cannot be read without running code.
    """
    from selfembed import adapters

    source = {"id": repository, "revision": revision or hub.newest_revision(repository), "pinned": revision is not None}
    if revision is None:
        log.info("%s: revision is not pinned; taken: %s, the newest", repository, source["revision"])
    hub.fetch(repository, source["revision"], adapters.CONFIG, folder)
    fetch_weights(repository, source["revision"], folder, adapters.WEIGHTS, adapters.OTHER_WEIGHTS)
    write_json(source, folder / adapters.SOURCE)


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--id", required=True, help="repository, for instance microsoft/mpnet-base")
    parser.add_argument("--revision", required=True, help="full commit hash")
    parser.add_argument(
        "--layers", type=at_least(1), required=True, help="transformer layers that the weights must have"
    )
    parser.add_argument("--adapter-id", help="repository of an adapter, for instance allenai/specter2")
    parser.add_argument("--adapter-revision", help="full commit hash of the adapter; without it, the newest")
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    from selfembed import adapters, checkpoints

    with written_whole(arguments.output) as folder:
        hub.fetch(arguments.id, arguments.revision, "config.json", folder)
        for name in OPTIONAL:
            with suppress(MissingFileError):
                hub.fetch(arguments.id, arguments.revision, name, folder)
        fetch_weights(arguments.id, arguments.revision, folder, "model.safetensors", "pytorch_model.bin")
        checkpoints.check(folder, arguments.layers)
        if arguments.adapter_id is not None:
            fetch_adapter(arguments.adapter_id, arguments.adapter_revision, folder / adapters.FOLDER)
            adapters.check(folder)


if __name__ == "__main__":
    command_line.run(main)
