"""Give the texts of a corpus coarser labels: the part of each label before a separator.

Reads a corpus. Writes a corpus with the same rows and ids, unless it is not what is expected.
"""

from pathlib import Path

from selfembed.jobs import command_line
from selfembed.jobs.command_line import existing
from selfembed.jobs.records import write_table
from selfembed.texts import expectations
from selfembed.texts.corpora import read_corpus


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--corpus", type=existing, required=True, help="prepared corpus (Parquet)")
    parser.add_argument("--up-to", default=".", help="labels are cut before the first of these")
    expectations.add_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="Parquet file to write")
    arguments = parser.parse_args(argv)
    corpus = read_corpus(arguments.corpus)
    corpus["label"] = corpus["label"].map(lambda label: label.split(arguments.up_to)[0], na_action="ignore")
    expectations.check(corpus, arguments.output.stem, arguments)
    write_table(corpus, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
