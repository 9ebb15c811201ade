"""Draw two crops of each text that runs hold out.

Writes a corpus (Parquet) with two rows per text, whose ids end in /0 and /1, and a JSON file with the numbers of texts
used and excluded. Writes nothing if the corpus is not as expected.
"""

from selfembed.augmentations import crops
from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import checksum, provenance, write_json, write_table
from selfembed.settings.corpora import CropsSource, Expected
from selfembed.texts.corpora import check_expected, read_corpus, summary


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus")
    options.add(parser, CropsSource, "source", omit=("corpus",))
    options.add(parser, Expected, "expected", prefix="expect-", optional=True)
    command_line.add_outputs(parser, output="Parquet file", counts="JSON file")
    arguments = parser.parse_args(argv)
    settings = arguments.source.model_dump(exclude={"type"})
    try:
        corpus, counts = crops.crop_corpus(read_corpus(arguments.corpus), **settings)
    except InputError as error:
        raise InputError(f"{arguments.corpus}: {error}") from error
    log.info("texts: %s", summary(counts))
    check_expected(corpus, arguments.output.stem, arguments.expected)
    write_table(corpus, arguments.output)
    facts = {"settings": settings, "corpus": checksum(arguments.corpus), "counts": counts}
    write_json(provenance(**facts), arguments.counts)


if __name__ == "__main__":
    command_line.run(main)
