"""Make the positive pairs that a run sees, in training order, all epochs.

Reads a corpus. Writes a Parquet table with the columns epoch, id, anchor, positive, and a JSON file that says how it
was made.
"""

from selfembed.augmentations import crops
from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing, log, part
from selfembed.jobs.records import checksum, provenance, write_json, write_table
from selfembed.texts.corpora import read_corpus


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--corpus", type=existing, required=True, help="prepared corpus (Parquet)")
    parser.add_argument("--type", choices=sorted(crops.AUGMENTATIONS), required=True, help="augmentation")
    parser.add_argument("--sentences", type=at_least(1), default=2, help="sentences in a pack")
    parser.add_argument(
        "--minimum-length", type=at_least(0), default=100, help="shortest eligible sentence (characters)"
    )
    parser.add_argument(
        "--maximum-length", type=at_least(1), default=250, help="longest eligible sentence (characters)"
    )
    parser.add_argument("--held-out", type=part, default=0.0, help="part of the texts that is left out")
    parser.add_argument("--epochs", type=at_least(1), default=1, help="pairs per text")
    parser.add_argument("--seed", type=at_least(0), required=True, help="seed of all draws and orders")
    parser.add_argument("--output", required=True, help="Parquet file to write")
    parser.add_argument("--settings", required=True, help="JSON file to write the settings to")
    arguments = parser.parse_args(argv)
    corpus = read_corpus(arguments.corpus)
    pairs = crops.make_pairs(
        corpus,
        arguments.type,
        arguments.epochs,
        arguments.seed,
        arguments.sentences,
        arguments.minimum_length,
        arguments.maximum_length,
        arguments.held_out,
    )
    log.info(
        "%d of %d texts give pairs; %d pairs in %d epochs",
        pairs["id"].nunique(),
        len(corpus),
        len(pairs),
        arguments.epochs,
    )
    write_table(pairs, arguments.output)
    used = ["epochs", "seed", "held_out"]
    if crops.AUGMENTATIONS[arguments.type].takes_packs:
        used = ["sentences", "minimum_length", "maximum_length", *used]
    settings = {"augmentation": arguments.type} | {key: getattr(arguments, key) for key in used}
    facts = {"settings": settings, "corpus": checksum(arguments.corpus), "texts": len(corpus), "pairs": len(pairs)}
    write_json(provenance(**facts), arguments.settings)


if __name__ == "__main__":
    command_line.run(main)
