"""Draw two crops of each text that runs hold out, from one of which the other is to be found.

Reads a corpus. Writes a corpus (Parquet) of two rows per text, whose ids are those of the texts and /0 or /1, and a
JSON file that says where the texts went, unless the corpus is not what is expected.
"""

from pathlib import Path

from selfembed.augmentations import crops
from selfembed.errors import InputError
from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing, log, part
from selfembed.jobs.records import checksum, provenance, write_json, write_table
from selfembed.texts import expectations
from selfembed.texts.corpora import read_corpus, summary


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--corpus", type=existing, required=True, help="prepared corpus (Parquet)")
    parser.add_argument("--held-out", type=part, default=0.1, help="part of the texts that runs hold out; 0: all texts")
    parser.add_argument(
        "--size", type=at_least(1), help="number of texts to draw, if more have two crops; default: all"
    )
    parser.add_argument("--sentences", type=at_least(1), default=2, help="sentences in a crop")
    parser.add_argument(
        "--minimum-length", type=at_least(0), default=100, help="shortest eligible sentence (characters)"
    )
    parser.add_argument(
        "--maximum-length", type=at_least(1), default=250, help="longest eligible sentence (characters)"
    )
    parser.add_argument("--seed", type=at_least(0), default=42, help="seed of all draws")
    expectations.add_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="Parquet file to write")
    parser.add_argument("--counts", required=True, help="JSON file to write")
    arguments = parser.parse_args(argv)
    settings = {
        name: getattr(arguments, name)
        for name in ("held_out", "size", "seed", "sentences", "minimum_length", "maximum_length")
    }
    try:
        corpus, counts = crops.crop_corpus(read_corpus(arguments.corpus), **settings)
    except InputError as error:
        raise InputError(f"{arguments.corpus}: {error}") from error
    log.info("texts: %s", summary(counts))
    expectations.check(corpus, arguments.output.stem, arguments)
    write_table(corpus, arguments.output)
    facts = {"settings": settings, "corpus": checksum(arguments.corpus), "counts": counts}
    write_json(provenance(**facts), arguments.counts)


if __name__ == "__main__":
    command_line.run(main)
