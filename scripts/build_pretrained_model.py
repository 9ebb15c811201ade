"""Turn a pretrained checkpoint into a model that has had no fine-tuning: the base model at step 0.

Reads an encoder folder, with an adapter in it or without. Writes a folder with `0/`, a SentenceTransformer with mean
pooling in fp32, and `model.json`, which has the repository and revision of an encoder from the hub.
"""

from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing
from selfembed.jobs.records import checksum, provenance, write_json, written_whole
from selfembed.models import model_cards


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--encoder", type=existing, required=True, help="folder of the checkpoint")
    parser.add_argument("--max-length", type=at_least(3), default=512, help="tokens to which texts are truncated")
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    from selfembed.models import adapters, checkpoints, encoders

    checkpoints.check_complete(arguments.encoder)
    model = encoders.assemble(encoders.load(arguments.encoder), "mean", arguments.max_length)
    facts = {"encoder": arguments.encoder.name, "weights": checksum(arguments.encoder / "model.safetensors")}
    origin = checkpoints.origin(arguments.encoder)
    what = "a pretrained encoder"
    if origin:
        what = f"`{origin['repository']}` of the Hugging Face hub at revision {origin['revision']}"
    if (adapter := arguments.encoder / adapters.FOLDER).is_dir():
        facts |= {"adapter": adapters.source(adapter), "adapter_weights": checksum(adapter / adapters.WEIGHTS)}
        what += " with its adapter"
    with written_whole(arguments.output) as folder:
        card = model_cards.base(arguments.encoder.name, f"{what}, as it came", encoders.needs_own_code(model))
        encoders.save(model, folder / "0", card)
        write_json(provenance(**facts, **origin, max_length=arguments.max_length), folder / "model.json")


if __name__ == "__main__":
    command_line.run(main)
