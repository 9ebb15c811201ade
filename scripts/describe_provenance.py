"""Say which data, settings, code, versions and machine made a figure, a table, a model or any other result.

Reads the seals of the results and of everything they follow from (`.NAME.seal`, beside every result). Prints, or writes
as one page of HTML in which the steps of the chain are linked.
"""

from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs import command_line, seals
from selfembed.jobs.command_line import existing
from selfembed.jobs.records import write_text
from selfembed.provenance import lineage, provenance_pages


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("results", type=existing, nargs="+", help="files or folders that the workflow made")
    parser.add_argument("--output", help="HTML file to write; default: print")
    arguments = parser.parse_args(argv)
    units = list(dict.fromkeys(made(path) for path in arguments.results))
    if arguments.output:
        write_text(provenance_pages.page(units, lineage.lineage(*units)), arguments.output)
    else:
        print("\n\n".join(provenance_pages.answer(unit, lineage.lineage(unit)) for unit in units))


def made(path: Path) -> Path:
    """The result that a path is or is part of.

    Raises InputError if no step wrote it.
    """
    unit = seals.covering(path)
    if unit is None:
        raise InputError(f"{path}: has no seal beside it; needed: something that a step of this version wrote")
    return unit


if __name__ == "__main__":
    command_line.run(main)
