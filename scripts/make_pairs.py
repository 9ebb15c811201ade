"""Make the positive pairs of a run, in training order, for all epochs.

Writes a Parquet table with the columns epoch, id, anchor, positive, and a JSON file with the settings; for groups, also
with the numbers of texts with and without another text in their group.
"""

from selfembed.augmentations import crops
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import checksum, provenance, write_json, write_table
from selfembed.settings.recipes import Augmentation, Recipe
from selfembed.texts import groups
from selfembed.texts.corpora import read_corpus, summary


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus")
    options.add(parser, Augmentation, "augmentation", omit=("mask_fraction",))
    options.add(parser, Recipe, keep=("epochs", "held_out"))
    command_line.add_seed(parser, "seed of sampling and order")
    command_line.add_outputs(parser, output="Parquet file", settings="JSON file with the settings")
    arguments = parser.parse_args(argv)
    corpus = read_corpus(arguments.corpus)
    settings = arguments.augmentation.model_dump(exclude={"type"})
    settings |= {"epochs": arguments.epochs, "seed": arguments.seed, "held_out": arguments.held_out}
    augmentation = arguments.augmentation.type
    pairs = crops.make_pairs(corpus, augmentation, **settings)
    counts = (pairs["id"].nunique(), len(corpus), len(pairs), arguments.epochs)
    log.info("pairs from %d of %d texts; %d pairs in %d epochs", *counts)
    write_table(pairs, arguments.output)
    facts = {
        "settings": {"augmentation": augmentation} | settings,
        "corpus": checksum(arguments.corpus),
        "texts": len(corpus),
        "pairs": len(pairs),
    }
    if augmentation == "groups":
        facts["training texts"] = groups.summary(corpus.iloc[crops.positions_kept(len(corpus), arguments.held_out)])
        log.info("training texts: %s", summary(facts["training texts"]))
    write_json(provenance(**facts), arguments.settings)


if __name__ == "__main__":
    command_line.run(main)
