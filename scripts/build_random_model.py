"""Initialise a BERT with random weights: the base model (step 0) of an encoder without pretraining.

Reads a tokenizer folder. Writes a folder with `0/`, a SentenceTransformer with mean pooling, and `model.json`.
"""

from selfembed.jobs import command_line, options
from selfembed.jobs.records import provenance, write_json, written_whole
from selfembed.models import model_cards
from selfembed.settings.encoders import RandomEncoder


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, tokenizer="folder with a tokenizer")
    parser.add_argument("--name", required=True, help="name of the encoder")
    options.add(parser, RandomEncoder, "encoder", omit=("tokenizer",))
    command_line.add_seed(parser, "seed of the weights")
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    encoder = arguments.encoder
    settings = encoder.architecture.model_dump() | {"max_length": encoder.max_length, "seed": arguments.seed}
    from selfembed.models import encoders

    model = encoders.random_bert(arguments.tokenizer, **settings)
    with written_whole(arguments.output) as folder:
        encoders.save(model, folder / "0", model_cards.base(arguments.name, "a BERT with random weights"))
        write_json(provenance(encoder=arguments.name, settings=settings), folder / "model.json")


if __name__ == "__main__":
    command_line.run(main)
