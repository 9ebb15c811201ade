"""Fine-tune a model on pairs, contrastively: one run.

Reads a base model and its pairs. Writes a folder with `final/`, a SentenceTransformer that anyone can load, one more
such folder for every kept step, `loss.csv` (one row per optimiser step) and `run.json` (all settings and versions).
A run whose loss becomes NaN or infinite is an error or, with `--may-diverge 1`, ends there: `run.json` names the step,
and steps without a usable model hold `diverged.json` instead.
A run that was killed goes on from its last checkpoint, which lies beside the output in `.NAME.unfinished/`.
"""

import logging
from pathlib import Path

import pandas as pd

from selfembed.augmentations import crops
from selfembed.errors import InputError
from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing, log, not_negative, part, positive
from selfembed.jobs.devices import choose_device, use_threads
from selfembed.jobs.records import (
    checksum,
    code_checksum,
    provenance,
    read_json,
    resumable,
    write_json,
    write_table,
    written_whole,
)
from selfembed.models import model_cards
from selfembed.training import divergence, processes

RECIPE = (
    "pooling",
    "temperature",
    "learning_rate",
    "batch_size",
    "warmup",
    "max_length",
    "precision",
    "mask_fraction",
    "projection",
    "unfrozen_layers",
)


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
    parser.add_argument("--temperature", type=positive, default=0.05, help="divides cosines in the loss")
    parser.add_argument("--learning-rate", type=positive, default=2e-5, help="peak learning rate of Adam")
    parser.add_argument("--batch-size", type=at_least(2), default=64, help="pairs per step")
    parser.add_argument(
        "--warmup", type=part, default=0.1, help="part of the first epoch over which the learning rate rises"
    )
    parser.add_argument("--max-length", type=at_least(3), default=512, help="tokens to which packs are truncated")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="of the encoder's forward pass")
    parser.add_argument("--mask-fraction", type=part, default=0.0, help="part of each text's tokens that is masked")
    parser.add_argument("--projection", type=at_least(1), nargs="+", help="widths of a head before the loss; not saved")
    parser.add_argument(
        "--unfrozen-layers", type=at_least(1), help="train this many top layers only; default: everything"
    )
    parser.add_argument("--keep", nargs="+", default=[], help="steps to keep: optimiser steps, or epoch-1, …")
    parser.add_argument(
        "--seed", type=at_least(0), required=True, help="decides dropout masks, masked tokens and the head"
    )
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where to train")
    parser.add_argument(
        "--devices", type=at_least(1), default=1, help="GPUs, or processes on a processor, that share a batch"
    )
    parser.add_argument("--threads", type=at_least(1), default=2, help="CPU threads; decides the last digits")
    parser.add_argument(
        "--checkpoint-minutes",
        type=not_negative,
        default=10.0,
        help="time between checkpoints, which a killed run goes on from",
    )
    parser.add_argument(
        "--may-diverge",
        type=int,
        choices=[0, 1],
        default=0,
        help="1: a loss that becomes NaN or infinite is a result, as in a sweep of learning rates; 0: it is an error",
    )
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    if arguments.batch_size % arguments.devices:
        raise InputError(
            f"--batch-size {arguments.batch_size}: {arguments.devices} devices cannot share it evenly; "
            f"needed: a multiple of {arguments.devices}"
        )
    device = choose_device(arguments.device, arguments.devices)
    if processes.count() < arguments.devices:
        return processes.launch(arguments.devices)
    from selfembed.models import encoders
    from selfembed.training import training

    use_threads(arguments.threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    recipe = read_json(arguments.pairs_settings, "settings")["settings"] | {
        key: getattr(arguments, key) for key in RECIPE
    }
    pairs = crops.read_pairs(arguments.pairs)
    encoder = encoders.load(arguments.base / "0")
    max_length = encoder.max_seq_length
    if arguments.unfrozen_layers is not None:
        encoders.freeze_below(encoder, arguments.unfrozen_layers)
    model = encoders.assemble(encoder, arguments.pooling, arguments.max_length)
    for layer in encoders.projection_head(
        encoder.get_embedding_dimension(), arguments.projection or [], arguments.seed
    ):
        model.append(layer)
    log.info("%s: %d pairs on %s, %s", arguments.name, len(pairs), device, recipe)
    facts = provenance(
        run=arguments.name,
        recipe=recipe,
        device=device,
        devices=arguments.devices,
        threads=arguments.threads,
        base_weights=checksum(arguments.base / "0" / "model.safetensors"),
        pairs=checksum(arguments.pairs),
    )
    identity = facts | {"keep": arguments.keep, "code": code_checksum()}
    with resumable(arguments.output, identity, processes.rank() == 0) as unfinished:
        folder = unfinished / "result"

        def save(step: str, history: pd.DataFrame) -> None:
            """Save the model as it is now, without a head, for texts that may be longer than packs."""
            if processes.rank():
                return
            finished = encoders.assemble(encoder, arguments.pooling, max_length)
            own_code = encoders.needs_own_code(finished)
            card = model_cards.tuned(arguments.name, recipe, history, len(pairs), own_code)
            with written_whole(folder / step) as whole:
                encoders.save(finished, whole, card)
            encoder.to(device)
            encoder.max_seq_length = arguments.max_length

        try:
            history = training.fine_tune(
                model.to(device),
                pairs,
                arguments.seed,
                arguments.temperature,
                arguments.learning_rate,
                arguments.batch_size,
                arguments.warmup,
                arguments.precision,
                arguments.mask_fraction,
                arguments.keep,
                save,
                unfinished,
                arguments.checkpoint_minutes,
            )
            save("final", history)
        except training.Divergence as found:
            if not arguments.may_diverge:
                raise
            log.warning("%s: diverged: loss is %s at step %d", arguments.name, found.loss, found.step)
            history = found.history
            facts |= {"diverged": {"step": found.step, "loss": found.loss}}
            if processes.rank() == 0:
                mark_lost(folder, ["final", *found.lost], facts["diverged"], encoder)
        if processes.rank():
            return
        write_table(history, folder / "loss.csv")
        write_json(facts | {"steps": len(history)}, folder / "run.json")


def mark_lost(folder: Path, steps: list[str], diverged: dict, encoder) -> None:
    """Put a marker in the place of every step without a usable model, also where one was saved before its loss was."""
    from selfembed.models import encoders

    last_layer = encoder.model.config.num_hidden_layers
    longest = encoders.longest_input(encoder, 0)  # 0: no limit
    for step in steps:
        with written_whole(folder / step) as whole:
            divergence.mark(whole, diverged, last_layer, longest or None)


if __name__ == "__main__":
    command_line.run(main)
