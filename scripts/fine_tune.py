"""Fine-tune a model on pairs with a contrastive loss: one run.

Writes a folder with `final/`, a SentenceTransformer, another one for each kept or interpolated step, `loss.csv` (one
row per optimiser step) and `run.json` (settings and versions); the last two also in the folder of the record, which is
kept if the run is removed.
If the loss becomes NaN or infinite, this is an error. With `--may-diverge 1`, the run ends instead: `run.json` contains
the step of the divergence, and steps without a usable model contain `diverged.json`.
An interrupted job resumes from its last checkpoint, saved beside the output in `.NAME.unfinished/`.
"""

import logging
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from selfembed.augmentations import crops
from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log, not_negative
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
from selfembed.models import interpolation, model_cards
from selfembed.settings.recipes import Masked, Recipe
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Threads
from selfembed.training import divergence, processes, tracking


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(
        parser,
        base="folder of the base model",
        pairs="pairs in training order (Parquet)",
        pairs_settings="settings of the pairs (JSON)",
    )
    parser.add_argument("--name", required=True, help="name of the run, for its model card")
    options.add(parser, Recipe, "recipe", omit=("augmentation", "epochs", "held_out"))
    options.add(parser, Masked, "masks")
    shared = ("device", "devices_per_run", "report_to")
    options.add(parser, Settings, keep=shared, names={"devices_per_run": "devices"})
    options.add(parser, Threads, keep=("fine_tune",), names={"fine_tune": "threads"})
    parser.add_argument(
        "--keep", nargs="+", default=[], help="steps to save: optimiser steps, epoch-1, …, interpolated-0.25, …"
    )
    command_line.add_seed(parser, "seed of dropout masks, masked tokens and the projection head")
    what = "minutes between checkpoints"
    parser.add_argument("--checkpoint-minutes", type=not_negative, default=10.0, help=what)
    what = "1: a NaN or infinite loss is a result, as in a sweep of learning rates; 0: it is an error"
    parser.add_argument("--may-diverge", type=int, choices=[0, 1], default=0, help=what)
    what = "command that starts a process per device on several nodes, such as srun torchrun …; local: on this one"
    parser.add_argument("--launcher", default="local", help=what)
    parser.add_argument("--log", type=Path, help="log of this job; files for TensorBoard are written beside it")
    command_line.add_outputs(parser, output="folder")
    parser.add_argument("--record", type=Path, help="folder to write, with copies of loss.csv and run.json")
    arguments = parser.parse_args(argv)
    chosen, devices = arguments.recipe, arguments.devices
    if chosen.batch_size % devices:
        found = f"--batch-size {chosen.batch_size}: not divisible by the number of devices"
        raise InputError(f"{found}; expected: a multiple of {devices}")
    if problem := tracking.problem(arguments.report_to):
        raise InputError(f"--{problem.replace('_', '-', 1)}")
    is_started = processes.are_started(devices)
    if arguments.launcher != "local" and not is_started:
        return processes.launch_elsewhere(arguments.launcher)
    device = choose_device(arguments.device, processes.local_count() if is_started else devices)
    if not is_started:
        return processes.launch(devices)
    from selfembed.embeddings.precision import available
    from selfembed.models import encoders, lora, own_modules
    from selfembed.training import training

    if processes.rank():
        log.setLevel(logging.WARNING)  # the first process tells the progress of all
    use_threads(arguments.threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    settings_of_pairs = read_json(arguments.pairs_settings, "settings")["settings"]
    precision = available(chosen.precision, device)
    recipe = settings_of_pairs | chosen.model_dump(exclude={"matryoshka", "lora"}) | of_few_runs(chosen)
    recipe |= arguments.masks.model_dump() | {"precision": precision}
    pairs = crops.read_pairs(arguments.pairs)
    base = arguments.base / "0"
    weights = own_modules.checksum(base) if chosen.pooling == "own" else checksum(base / "model.safetensors")
    model, max_length = load_base(base, chosen)
    guide = load_base(base, chosen)[0] if chosen.guide else None
    encoder, trained_length, n_modules = model[0], model.max_seq_length, len(model)
    if chosen.unfrozen_layers is not None:
        encoders.freeze_below(encoder, chosen.unfrozen_layers)
    if chosen.lora is not None:
        lora.add(model, **chosen.lora.model_dump(), seed=arguments.seed)
    with model.truncate_embeddings(None):
        dim = model.get_embedding_dimension()
    for layer in encoders.projection_head(dim, chosen.projection or [], arguments.seed):
        model.append(layer)
    log.info("%s: %d pairs on %s, %s", arguments.name, len(pairs), device, recipe)
    facts = provenance(
        run=arguments.name,
        recipe=recipe,
        device=device,
        devices=devices,
        threads=arguments.threads,
        base_weights=weights,
        pairs=checksum(arguments.pairs),
    )
    if (arguments.base / "model.json").is_file():
        facts |= {key: found for key, found in read_json(arguments.base / "model.json").items() if key == "own"}
    interpolated = [step for step in arguments.keep if interpolation.fraction_of(step) is not None]
    identity = facts | {"keep": arguments.keep, "code": code_checksum()}
    with resumable(arguments.output, identity, processes.rank() == 0) as unfinished:
        folder = unfinished / "result"

        def untrained():
            """Load the base model again, with its own maximum length."""
            return encoders.without_head(load_base(base, chosen)[0], n_modules, max_length)

        def save(step: str, history: pd.DataFrame) -> None:
            """Save the current model without its head, with the maximum length of the base model."""
            if processes.rank():
                return
            finished = encoders.without_head(model, n_modules, max_length)
            if chosen.lora is not None:
                finished = lora.merge(finished, untrained())
            fraction = interpolation.fraction_of(step)
            if fraction is not None:
                tuned, finished = finished, untrained()
                interpolation.move(finished, tuned, fraction)
            own_code = encoders.needs_own_code(finished)
            card = model_cards.tuned(arguments.name, recipe, history, len(pairs), own_code, fraction)
            with written_whole(folder / step) as whole:
                encoders.save(finished, whole, card)
            model.to(device)
            model.max_seq_length = trained_length

        try:
            history = training.fine_tune(
                model.to(device),
                pairs,
                seed=arguments.seed,
                temperature=chosen.temperature,
                learning_rate=chosen.learning_rate,
                batch_size=chosen.batch_size,
                warmup=chosen.warmup,
                precision=precision,
                mask_fraction=arguments.mask_fraction,
                guide=guide,
                matryoshka=chosen.matryoshka or (),
                early_stopping=chosen.early_stopping,
                kept_steps=arguments.keep,
                keep=save,
                checkpoints=unfinished,
                checkpoint_minutes=arguments.checkpoint_minutes,
                tracking=tracking.trainer_arguments(arguments.report_to, arguments.name, arguments.log),
            )
            for step in ("final", *interpolated):
                save(step, history)
        except training.Divergence as found:
            if not arguments.may_diverge:
                raise
            log.warning("%s: diverged: loss is %s at step %d", arguments.name, found.loss, found.step)
            history = found.history
            facts |= {"diverged": {"step": found.step, "loss": found.loss}}
            if processes.rank() == 0:
                mark_lost(folder, ["final", *interpolated, *found.lost], facts["diverged"], encoder)
        if processes.rank():
            return
        write_table(history, folder / "loss.csv")
        write_json(facts | {"steps": len(history)}, folder / "run.json")
        if arguments.record:
            with written_whole(arguments.record) as record:
                record.mkdir()
                for name in ("loss.csv", "run.json"):
                    shutil.copy(folder / name, record)


def load_base(folder: Path, recipe: Recipe):
    """Load a base model with the pooling and maximum length of a recipe; also return its own maximum length."""
    from selfembed.models import encoders

    if recipe.pooling == "own":
        model = encoders.load_whole(folder)
        max_length = model.max_seq_length
        model.max_seq_length = min(max_length, recipe.max_length)
        return model, max_length
    encoder = encoders.load(folder)
    max_length = encoder.max_seq_length
    return encoders.assemble(encoder, recipe.pooling, recipe.max_length), max_length


def of_few_runs(recipe: Recipe) -> dict[str, Any]:
    """Return the options of a recipe that are part of records and cards only if they are set."""
    found: dict[str, Any] = {"matryoshka": recipe.matryoshka}
    if recipe.lora is not None:
        found |= {f"lora_{key}": value for key, value in recipe.lora.model_dump().items()}
    return {key: value for key, value in found.items() if value is not None}


def mark_lost(folder: Path, steps: list[str], diverged: dict, encoder) -> None:
    """Write a marker for each step without a usable model, also over a model saved before its loss was known."""
    from selfembed.models import encoders

    longest = encoders.longest_input(encoder, 0) or None  # 0: no limit
    for step in steps:
        with written_whole(folder / step) as whole:
            divergence.mark(whole, diverged, encoder.model.config.num_hidden_layers, longest)


if __name__ == "__main__":
    command_line.run(main)
