"""Download a pretrained encoder from the Hugging Face hub, at a revision or at the newest.

The only step that fetches weights from the network. Writes a folder with config, tokenizer, safetensors weights and
`revision.json`, which says which revision they are of; no other file, and no code, is fetched. Where a revision has
PyTorch's own format only, the tensors in it are read without running code and written as safetensors.
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


def fetch_weights(repository: str, revision: str, folder: Path) -> None:
    """Fetch the weights as `model.safetensors`, converted if need be.

    Raises InputError if the repository has neither format, or if its weights cannot be read without running code.
    """
    try:
        hub.fetch(repository, revision, "model.safetensors", folder)
    except MissingFileError:
        from selfembed import checkpoints

        log.info("%s: no model.safetensors; converting pytorch_model.bin", repository)
        weights = hub.fetch(repository, revision, "pytorch_model.bin", folder)
        checkpoints.convert(weights, folder / "model.safetensors")
        weights.unlink()


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--id", required=True, help="repository, for instance microsoft/mpnet-base")
    parser.add_argument("--revision", help="full commit hash; default: the newest, told in the log")
    parser.add_argument(
        "--layers", type=at_least(1), required=True, help="transformer layers that the weights must have"
    )
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    from selfembed import checkpoints

    origin = hub.origin(arguments.id, arguments.revision)
    revision = origin["revision"]
    with written_whole(arguments.output) as folder:
        hub.fetch(arguments.id, revision, "config.json", folder)
        for name in OPTIONAL:
            with suppress(MissingFileError):
                hub.fetch(arguments.id, revision, name, folder)
        fetch_weights(arguments.id, revision, folder)
        checkpoints.check(folder, arguments.layers)
        write_json(origin, folder / checkpoints.REVISION)


if __name__ == "__main__":
    command_line.run(main)
