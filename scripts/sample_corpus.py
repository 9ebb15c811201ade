"""Draw a fixed random sample of a corpus, without replacement.

Reads a corpus. Writes a corpus, the sample, in the order drawn, unless it is not what is expected.
"""

from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing
from selfembed.jobs.records import write_table
from selfembed.texts import corpora, expectations


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--corpus", type=existing, required=True, help="prepared corpus (Parquet)")
    parser.add_argument("--size", type=at_least(1), required=True, help="number of texts")
    parser.add_argument("--seed", type=at_least(0), default=42, help="seed of the draw")
    expectations.add_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="Parquet file to write")
    arguments = parser.parse_args(argv)
    try:
        sample = corpora.sample(corpora.read_corpus(arguments.corpus), arguments.size, arguments.seed)
    except InputError as error:
        raise InputError(f"{arguments.corpus}: {error}") from error
    expectations.check(sample, arguments.output.stem, arguments)
    write_table(sample, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
