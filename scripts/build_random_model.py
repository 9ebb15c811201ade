"""Initialise a BERT at random: the base model at step 0 of an encoder without pretraining.

Reads a tokenizer folder. Writes a folder with `0/`, a SentenceTransformer with mean pooling, and `model.json`.
"""

from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing, part
from selfembed.jobs.records import provenance, write_json, written_whole
from selfembed.models import model_cards


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--tokenizer", type=existing, required=True, help="folder with a tokenizer")
    parser.add_argument("--name", required=True, help="name of the encoder")
    parser.add_argument("--layers", type=at_least(1), default=12, help="transformer layers")
    parser.add_argument("--hidden-size", type=at_least(1), default=768, help="width of token vectors")
    parser.add_argument("--attention-heads", type=at_least(1), default=12, help="attention heads per layer")
    parser.add_argument("--intermediate-size", type=at_least(1), default=3072, help="width of feed-forward layers")
    parser.add_argument("--dropout", type=part, default=0.1, help="dropout probability")
    parser.add_argument("--max-length", type=at_least(3), default=512, help="tokens to which texts are truncated")
    parser.add_argument("--seed", type=at_least(0), required=True, help="decides the weights")
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    from selfembed.models import encoders

    settings = {
        key: getattr(arguments, key)
        for key in ("layers", "hidden_size", "attention_heads", "intermediate_size", "dropout", "max_length", "seed")
    }
    model = encoders.random_bert(arguments.tokenizer, **settings)
    with written_whole(arguments.output) as folder:
        encoders.save(model, folder / "0", model_cards.base(arguments.name, "a BERT with random weights"))
        write_json(provenance(encoder=arguments.name, settings=settings), folder / "model.json")


if __name__ == "__main__":
    command_line.run(main)
