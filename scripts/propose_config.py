"""Propose a config that adapts an encoder to texts of your own.

Looks at a csv, tsv, jsonl or parquet file, or at a folder of .txt files. Writes `my_NAME.yaml`, a complete config with
comments that say why, and prints its name. A config that was edited is kept as it is. Then

  snakemake adapt --configfile my_NAME.yaml --cores all

makes models, evidence and a map. `make adapt TEXTS=…` does both.
"""

import hashlib
import tempfile
from functools import partial
from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, log

MARK = "# Unedited as long as the lines above have the SHA-256 "

# Names that mean something else in results/, or belong to configs of the project.
TAKEN = {
    *("clusters", "corpora", "descriptions", "embeddings", "encoders", "maps", "models", "pairs", "published"),
    *("scores", "sources", "tables", "tasks", "tokenizers", "demo", "iclr_part", "own_texts", "smoke"),
}


def main(argv: list[str]) -> None:
    """Run the command with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("texts", type=lambda words: Path(words).expanduser(), help="file, or folder of .txt files")
    parser.add_argument("--text", help="column with the texts; found by itself if one has by far the longest cells")
    parser.add_argument("--label", help="column with classes (of a folder: 'folder'); adds accuracies to the evidence")
    parser.add_argument("--title", help="column with titles, for the map; found by itself if it is called so")
    parser.add_argument("--encoding", help="encoding of files that are not UTF-8; guessed by default")
    parser.add_argument(
        "--encoder", help="Hugging Face repository, or folder; by default all-MiniLM-L6-v2, which is installed"
    )
    parser.add_argument("--name", help="name of results/NAME and my_NAME.yaml; by default the file's")
    parser.add_argument("--seeds", type=at_least(0), nargs="+", default=[42, 23, 12], help="one fine-tuning for each")
    parser.add_argument(
        "--most-texts", type=at_least(100), default=100_000, help="of more texts, so many are drawn at random"
    )
    parser.add_argument("--quick", action="store_true", help="a first look: one seed, one epoch, at most 1,000 texts")
    arguments = parser.parse_args(argv)
    from selfembed.proposals import proposals, proposed_config

    name = arguments.name or free_name(proposals.name_from(arguments.texts.resolve().stem))
    output = Path(f"my_{name}.yaml")
    if arguments.name in TAKEN:
        raise InputError(f"the name '{name}' is taken by the workflow itself; needed: another NAME")
    if output.exists() and is_kept(output, arguments.texts):
        log.info(
            "%s was edited and is used as it is; other options change nothing. Delete it for a new proposal", output
        )
        print(output)
        return
    encoder = proposals.MINILM
    if arguments.encoder:
        with tempfile.TemporaryDirectory() as folder:
            encoder = proposals.encoder_from(arguments.encoder, partial(fetch_config, Path(folder)))
    proposal = proposals.propose(
        name,
        arguments.texts,
        arguments.text,
        arguments.label,
        arguments.title,
        arguments.encoding,
        encoder,
        tuple(arguments.seeds),
        arguments.most_texts,
        arguments.quick,
    )
    config = proposed_config.render(proposal, str(output))
    for line in proposals.summary(proposal):
        log.info("%s", line)
    write(config, output)
    print(output)


def free_name(name: str) -> str:
    """A name that is not taken and cannot be read as a number."""
    return f"{name}_texts" if name in TAKEN or name.isdigit() else name


def is_kept(output: Path, texts: Path) -> bool:
    """Whether a config that is there was edited.

    Raises InputError if it is for other texts.
    """
    import yaml

    content = output.read_text(encoding="utf-8")
    try:
        found = yaml.safe_load(content)["corpora"]
        source = found.get("all_texts", found.get("texts"))["source"]["path"]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return True  # snakemake will say what is wrong with it
    if Path(source) != texts:
        raise InputError(f"{output} is a config for {source}; needed: another NAME, or delete that file")
    proposed, _, checksum = content.rpartition(MARK)
    return hashlib.sha256(proposed.encode()).hexdigest() != checksum.strip()


def write(content: str, output: Path) -> None:
    """Write a config with a last line that tells whether it was edited."""
    content += "\n"
    output.write_text(f"{content}{MARK}{hashlib.sha256(content.encode()).hexdigest()}\n", encoding="utf-8")


def fetch_config(folder: Path, repository: str, revision: str | None) -> tuple[str, Path]:
    """Fetch the config of a repository of the hub into a folder; without a revision, the newest.

    Returns the revision and the folder.

    Raises InputError with one line if the hub has no such repository, or cannot be reached.
    """
    from selfembed.downloads import hub

    revision = revision or hub.newest_revision(repository)
    hub.fetch(repository, revision, "config.json", folder)
    return revision, folder


if __name__ == "__main__":
    command_line.run(main)
