"""selfembed: propose a config for texts of your own, and say what results are worth and were made from."""

import argparse
import inspect
import sys
from pathlib import Path

from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing
from selfembed.proposals.proposals import MOST_TEXTS, SEEDS


def main(argv: list[str]) -> None:
    """Run a command with its arguments."""
    parser = command_line.parser(__doc__)
    parser.prog = "selfembed"
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (propose, verify, lineage):
        description = inspect.getdoc(command)
        summary = description.split("\n")[0].rstrip(".")
        one = commands.add_parser(
            command.__name__,
            help=summary[0].lower() + summary[1:],
            description=description,
            formatter_class=command_line.HelpFormatter,
            allow_abbrev=False,
        )
        ARGUMENTS[command](one)
        one.set_defaults(command=command)
    arguments = vars(parser.parse_args(argv))
    arguments.pop("command")(**arguments)


def run() -> None:
    """Run the command that was typed; errors end in one line."""
    command_line.run(main)


def add_propose(parser: argparse.ArgumentParser) -> None:
    """Arguments of `propose`."""
    parser.add_argument("texts", type=lambda words: Path(words).expanduser(), help="file, or folder of .txt files")
    parser.add_argument("--text", help="column with the texts; found by itself if one has by far the longest cells")
    parser.add_argument("--label", help="column with classes (of a folder: 'folder'); adds accuracies to the evidence")
    parser.add_argument("--title", help="column with titles, for the map; found by itself if it is called so")
    parser.add_argument("--encoding", help="encoding of files that are not UTF-8; guessed by default")
    parser.add_argument(
        "--encoder", help="Hugging Face repository, or folder; by default all-MiniLM-L6-v2, which is installed"
    )
    parser.add_argument("--name", help="name of results/NAME and my_NAME.yaml; by default the file's")
    parser.add_argument("--seeds", type=at_least(0), nargs="+", default=SEEDS, help="one fine-tuning for each")
    parser.add_argument(
        "--most-texts", type=at_least(100), default=MOST_TEXTS, help="of more texts, so many are drawn at random"
    )
    parser.add_argument("--quick", action="store_true", help="a first look: one seed, one epoch, at most 1,000 texts")
    parser.add_argument("--run", action="store_true", help="run the config, too, and say where the results are")


def propose(run: bool, **choices) -> None:
    """Propose a config that adapts an encoder to texts of your own.

    Looks at a csv, tsv, jsonl or parquet file, or at a folder of .txt files. Writes `my_NAME.yaml`, a complete config
    with comments that say why, and prints its name. A config that was edited is kept as it is. Then

      snakemake adapt --configfile my_NAME.yaml --cores all

    makes models, evidence and a map. With --run, it is started at once; `make adapt TEXTS=…` does the same.
    """
    from selfembed.proposals import config_file

    config = config_file.propose(**choices)
    config_file.run(config) if run else print(config)


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Arguments of `verify`."""
    folders = [Path("results"), Path("figures")]
    parser.add_argument("folders", type=Path, nargs="*", default=folders, help="where to look")
    parser.add_argument("--delete", action="store_true", help="delete what is damaged or outdated")


def verify(folders: list[Path], delete: bool) -> None:
    """Verify results against their seals.

    Says which results are damaged (not the bytes that were written), which are outdated (made from something that has
    changed since, or that is outdated), and how many were made with versions of packages other than the installed
    ones. With --delete, damaged and outdated results are deleted, so that the next run of Snakemake makes them again.
    The exit status is 1 if anything is damaged or outdated.
    """
    from selfembed.provenance import verification

    sys.exit(0 if verification.verify(folders, delete) else 1)


def add_lineage(parser: argparse.ArgumentParser) -> None:
    """Arguments of `lineage`."""
    parser.add_argument("results", type=existing, nargs="+", help="files or folders that the workflow made")
    parser.add_argument("--crate", type=Path, metavar="FOLDER", help="folder to write as an RO-Crate; default: print")


def lineage(results: list[Path], crate: Path | None) -> None:
    """Say which data, settings, code, versions and machine made a result.

    Results are figures, tables, models, or anything else that a step wrote. Reads their seals and those of everything
    they follow from (`.NAME.seal`, beside every result). Prints the chain, or writes it as an RO-Crate: a folder with
    the results and `ro-crate-metadata.json`, which describes every step of the chain (its command, code, packages and
    machine) and every file (its SHA-256 and size).
    """
    from selfembed.provenance import lineage as chains

    units = list(dict.fromkeys(map(chains.made, results)))
    if crate is None:
        print("\n\n".join(chains.text(unit, chains.lineage(unit)) for unit in units))
    else:
        from selfembed.provenance import ro_crate

        ro_crate.write(units, chains.lineage(*units), crate)


ARGUMENTS = {propose: add_propose, verify: add_verify, lineage: add_lineage}
