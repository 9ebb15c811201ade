"""Make the positive pairs that a run sees, in training order, all epochs.

Reads a corpus. Writes a Parquet table with the columns epoch, id, anchor, positive, and a JSON file that says how it
was made.
"""

from selfembed.augmentations import crops
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import checksum, provenance, write_json, write_table
from selfembed.settings.recipes import Augmentation, Recipe
from selfembed.texts.corpora import read_corpus


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus")
    options.add(parser, Augmentation, "augmentation", omit=("mask_fraction",))
    options.add(parser, Recipe, keep=("epochs", "held_out"))
    command_line.add_seed(parser, "seed of all draws and orders")
    command_line.add_outputs(parser, output="Parquet file", settings="JSON file with the settings")
    arguments = parser.parse_args(argv)
    corpus = read_corpus(arguments.corpus)
    augmentation = arguments.augmentation
    limits = augmentation.model_dump(exclude={"type"})
    settings = limits | {"epochs": arguments.epochs, "seed": arguments.seed, "held_out": arguments.held_out}
    pairs = crops.make_pairs(corpus, augmentation.type, **settings)
    log.info(
        "%d of %d texts give pairs; %d pairs in %d epochs",
        pairs["id"].nunique(),
        len(corpus),
        len(pairs),
        arguments.epochs,
    )
    write_table(pairs, arguments.output)
    facts = {
        "settings": {"augmentation": augmentation.type} | settings,
        "corpus": checksum(arguments.corpus),
        "texts": len(corpus),
        "pairs": len(pairs),
    }
    write_json(provenance(**facts), arguments.settings)


if __name__ == "__main__":
    command_line.run(main)
