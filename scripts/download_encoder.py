"""Download a pretrained encoder from the Hugging Face hub, at a fixed revision.

The only step that fetches weights from the network. Writes a folder with config, tokenizer and safetensors weights; no
other file, and no code, is fetched.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "0"

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from selfembed import command_line
from selfembed.command_line import log
from selfembed.errors import InputError
from selfembed.records import written_whole

NEEDED = ("config.json", "model.safetensors")
OPTIONAL = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--id", required=True, help="repository, for instance microsoft/mpnet-base")
    parser.add_argument("--revision", required=True, help="full commit hash")
    parser.add_argument("--layers", type=int, required=True, help="transformer layers that the weights must have")
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    from selfembed import checkpoints

    with written_whole(arguments.output) as folder:
        for name in NEEDED + OPTIONAL:
            try:
                hf_hub_download(arguments.id, name, revision=arguments.revision, local_dir=folder)
                log.info("%s: %s", arguments.id, name)
            except RepositoryNotFoundError as error:
                raise InputError(f"hub: no repository '{arguments.id}' (or it needs a login)") from error
            except RevisionNotFoundError as error:
                raise InputError(f"hub: '{arguments.id}' has no revision {arguments.revision}") from error
            except LocalEntryNotFoundError as error:
                raise InputError(f"hub: '{arguments.id}' could not be downloaded: no connection; try again") from error
            except EntryNotFoundError as error:
                if name in NEEDED:
                    raise InputError(f"hub: '{arguments.id}' at {arguments.revision} has no {name}") from error
            except (HfHubHTTPError, OSError) as error:
                reason = str(error).splitlines()[0]
                raise InputError(f"hub: '{arguments.id}' could not be downloaded: {reason}; try again") from error
        checkpoints.check(folder, arguments.layers)


if __name__ == "__main__":
    command_line.run(main)
