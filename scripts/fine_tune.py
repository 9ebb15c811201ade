"""Fine-tune a model on pairs, contrastively: one run.

Reads a base model and its pairs. Writes a folder with `final/`, a SentenceTransformer that anyone can load, `loss.csv`
(one row per optimiser step) and `run.json` (all settings and versions).
"""

import logging

import pandas as pd

from selfembed import command_line, model_cards
from selfembed.command_line import existing, log, use_threads
from selfembed.devices import choose_device
from selfembed.records import checksum, provenance, read_json, write_json, write_table, written_whole

RECIPE = ("pooling", "temperature", "learning_rate", "batch_size", "warmup", "max_length", "precision")


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--base", type=existing, required=True, help="folder of the base model")
    parser.add_argument("--pairs", type=existing, required=True, help="pairs in training order (Parquet)")
    parser.add_argument("--pairs-settings", type=existing, required=True, help="how the pairs were made (JSON)")
    parser.add_argument("--name", required=True, help="name of the run, for its model card")
    parser.add_argument(
        "--pooling", choices=["mean", "cls", "last", "token7"], default="mean", help="representation trained"
    )
    parser.add_argument("--temperature", type=float, default=0.05, help="divides cosines in the loss")
    parser.add_argument("--learning-rate", type=float, default=2e-5, help="peak learning rate of Adam")
    parser.add_argument("--batch-size", type=int, default=64, help="pairs per step")
    parser.add_argument(
        "--warmup", type=float, default=0.1, help="part of the first epoch over which the learning rate rises"
    )
    parser.add_argument("--max-length", type=int, default=512, help="tokens to which packs are truncated")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of the encoder's forward pass")
    parser.add_argument("--seed", type=int, required=True, help="decides dropout masks")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where to train")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads; decides the last digits")
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    from selfembed import encoders, training

    use_threads(arguments.threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    device = choose_device(arguments.device)
    recipe = read_json(arguments.pairs_settings)["settings"] | {key: getattr(arguments, key) for key in RECIPE}
    pairs = pd.read_parquet(arguments.pairs)
    encoder = encoders.load(arguments.base / "0")
    max_length = encoder.max_seq_length
    model = encoders.assemble(encoder, arguments.pooling, arguments.max_length).to(device)
    log.info("%s: %d pairs on %s, %s", arguments.name, len(pairs), device, recipe)
    history = training.fine_tune(
        model,
        pairs,
        arguments.seed,
        arguments.temperature,
        arguments.learning_rate,
        arguments.batch_size,
        arguments.warmup,
        arguments.precision,
    )
    model.to("cpu")
    model.max_seq_length = max_length  # texts may be longer than packs
    facts = provenance(
        run=arguments.name,
        recipe=recipe,
        device=device,
        threads=arguments.threads,
        steps=len(history),
        base_weights=checksum(arguments.base / "0" / "model.safetensors"),
        pairs=checksum(arguments.pairs),
    )
    with written_whole(arguments.output) as folder:
        encoders.save(model, folder / "final", model_cards.tuned(arguments.name, recipe, history, len(pairs)))
        write_table(history, folder / "loss.csv")
        write_json(facts, folder / "run.json")


if __name__ == "__main__":
    command_line.run(main)
