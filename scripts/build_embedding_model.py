"""Reduce a base model to its embedding layer or embedding module: the base model (step 0) of an encoder without layers.

The part is tried out. Writes a folder with `0/`, a SentenceTransformer with mean pooling, and `model.json`.
"""

from selfembed.jobs import command_line, options
from selfembed.jobs.records import checksum, provenance, write_json, written_whole
from selfembed.models import model_cards
from selfembed.settings.encoders import EmbeddingLayerEncoder

PARTS = {
    "layer": "only the token embedding matrix of an encoder",
    "module": "only the embedding module of an encoder (tokens, positions, normalisation)",
}


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, base="folder of the base model")
    parser.add_argument("--part", choices=sorted(PARTS), required=True, help="part of the base model to keep")
    parser.add_argument("--name", required=True, help="name of the encoder")
    options.add(parser, EmbeddingLayerEncoder, keep=("max_length",))
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    from selfembed.models import encoders, trial

    if arguments.part == "layer":
        model = encoders.embedding_layer(encoders.load(arguments.base / "0"), arguments.max_length)
    else:
        model = encoders.assemble(encoders.load(arguments.base / "0", layers=0), "mean", arguments.max_length)
    facts = {"encoder": arguments.name, "base_weights": checksum(arguments.base / "0" / "model.safetensors")}
    with written_whole(arguments.output) as folder:
        card = model_cards.base(arguments.name, PARTS[arguments.part], encoders.needs_own_code(model))
        encoders.save(model, folder / "0", card)
        trial.run(folder / "0", 0, arguments.name)
        write_json(provenance(**facts, part=arguments.part, max_length=arguments.max_length), folder / "model.json")


if __name__ == "__main__":
    command_line.run(main)
