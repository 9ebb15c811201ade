"""Draw two crops of each text that runs hold out.

Writes a corpus (Parquet) with two rows per text, whose ids end in /0 and /1, and a JSON file with the numbers of texts
used and excluded. Writes nothing if the corpus is not as expected.
"""

from selfembed.augmentations import pair_corpora
from selfembed.jobs import command_line, options
from selfembed.settings.corpora import CropsSource, Expected


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus")
    options.add(parser, CropsSource, "source", omit=("corpus",))
    options.add(parser, Expected, "expected", prefix="expect-", optional=True)
    command_line.add_outputs(parser, output="Parquet file", counts="JSON file")
    arguments = parser.parse_args(argv)
    pair_corpora.write(arguments, pair_corpora.crop_corpus)


if __name__ == "__main__":
    command_line.run(main)
