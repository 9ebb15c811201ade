"""Convert a pretrained checkpoint to a base model (step 0).

Reads an encoder folder, with or without an adapter; an encoder from the hub is tried out. Writes a folder with `0/`, a
SentenceTransformer with mean pooling in fp32, and `model.json`, which contains repository and revision of an encoder
from the hub.
"""

from selfembed.jobs import command_line, options
from selfembed.jobs.records import checksum, provenance, write_json, written_whole
from selfembed.models import model_cards
from selfembed.settings.encoders import FolderEncoder


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, encoder="folder of the checkpoint")
    options.add(parser, FolderEncoder, keep=("max_length",))
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    from selfembed.models import adapters, checkpoints, encoders, trial

    if origin := checkpoints.origin(arguments.encoder):  # imports have been tried out
        trial.run(arguments.encoder, checkpoints.last_layer(arguments.encoder), f"hub: '{origin['repository']}'")
    model = encoders.assemble(encoders.load(arguments.encoder), "mean", arguments.max_length)
    facts = {"encoder": arguments.encoder.name, "weights": checksum(arguments.encoder / "model.safetensors")}
    what = "a pretrained encoder"
    if origin:
        what = f"`{origin['repository']}` of the Hugging Face hub at revision {origin['revision']}"
    if (adapter := arguments.encoder / adapters.FOLDER).is_dir():
        facts |= {"adapter": adapters.source(adapter), "adapter_weights": checksum(adapter / adapters.WEIGHTS)}
        what += " with its adapter"
    with written_whole(arguments.output) as folder:
        card = model_cards.base(arguments.encoder.name, f"{what}, not fine-tuned", encoders.needs_own_code(model))
        encoders.save(model, folder / "0", card)
        write_json(provenance(**facts, **origin, max_length=arguments.max_length), folder / "model.json")


if __name__ == "__main__":
    command_line.run(main)
