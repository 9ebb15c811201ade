"""Contrastive fine-tuning on pairs, with sentence-transformers' own trainer and loss, to the paper's protocol.

Adam without weight decay, no gradient clipping, a learning rate that rises over a part of the first epoch and falls
linearly to zero, dropout on, in-batch negatives, one direction (anchor to positives).
"""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from transformers import PrinterCallback, TrainerCallback

from selfembed import processes, signals
from selfembed.errors import InputError
from selfembed.forward import encoder_forward
from selfembed.masking import masked_preprocessing
from selfembed.progress import Progress
from selfembed.training_state import Checkpointing, Checkpoints, ResumableTrainer, step_of

Keep = Callable[[str, pd.DataFrame], None]

# Tokens in a forward pass: few on a processor, so that hardly any is padding; a GPU wants large passes instead.
TOKENS_PER_PASS = {"cpu": 1024, "cuda": 65536}


def batches_in_order(epochs: np.ndarray, batch_size: int, devices: int = 1) -> list[list[int]]:
    """Positions of pairs, batch by batch, in their order; no batch crosses epochs, the last of each may be smaller.

    On several devices, up to `devices` - 1 pairs at the end of each epoch are left out, so that all batches can be
    shared equally.

    Args:
        epochs: epoch of every pair, ascending, shape (pairs,).

    Raises InputError if batches cannot be shared equally.
    """
    if batch_size % devices:
        raise InputError(f"batch_size is {batch_size}, devices {devices}; allowed: batches that devices share equally")
    found = []
    for epoch in np.unique(epochs):
        positions = np.flatnonzero(epochs == epoch).tolist()
        positions = positions[: len(positions) // devices * devices]
        found.extend(positions[start : start + batch_size] for start in range(0, len(positions), batch_size))
    return found


class BatchesInOrder(DefaultBatchSampler):
    """The trainer's view of a list of batches: yields them as they are, or in equal parts, one for each device."""

    def __init__(self, found: list[list[int]], devices: int = 1) -> None:
        self.found = [part.tolist() for batch in found for part in np.split(np.array(batch), devices)]
        self.epoch = 0

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)


class History(TrainerCallback):
    """Collects one row per optimiser step, hands over kept steps, logs progress, stops a training that diverged."""

    def __init__(
        self,
        found: list[list[int]],
        epochs: np.ndarray,
        kept: dict[int, list[str]],
        keep: Keep,
        checkpoints: Checkpoints,
    ) -> None:
        self.found = found
        self.epochs = epochs
        self.kept = kept
        self.keep = keep
        self.checkpoints = checkpoints
        self.rows: list[dict] = []

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        """Take over the steps of a run that goes on."""
        self.rows = [self.row(logs["step"], logs) for logs in state.log_history if "loss" in logs]
        self.progress = Progress(len(self.found), "steps", before=len(self.rows))

    def row(self, step: int, logs: dict) -> dict:
        """What is recorded of a step."""
        batch = self.found[step - 1]
        return {
            "step": step,
            "epoch": int(self.epochs[batch[0]]),
            "batch_size": len(batch),
            "learning_rate": logs["learning_rate"],
            "loss": logs["loss"],
        }

    def on_log(self, args, state, control, logs=None, **kwargs) -> None:
        """Record the step that just ended.

        Raises InputError if the training has diverged.
        """
        if "loss" not in logs:
            return
        row = self.row(state.global_step, logs)
        self.rows.append(row)
        if not np.isfinite(row["loss"]):
            raise InputError(self.diverged(row))
        if state.is_world_process_zero:
            for name in self.kept.get(row["step"], []):
                self.keep(name, pd.DataFrame(self.rows))
        self.progress.advance(1, f"loss {row['loss']:.4f}")

    def diverged(self, row: dict) -> str:
        """Where a training went wrong, and where the last good model is."""
        good = self.checkpoints.good_before(row["step"])
        return (
            f"loss is {row['loss']} at step {row['step']} of {len(self.found)} (epoch {row['epoch']}, "
            f"learning rate {row['learning_rate']:.3g}, batch of {row['batch_size']}); try a smaller learning_rate"
            + (f" (the model as it was after step {step_of(good)} is in {good})" if good else "")
        )


def steps_to_keep(names: list[str], found: list[list[int]], epochs: np.ndarray) -> dict[int, list[str]]:
    """Names of kept steps (`10`, or `epoch-1` for the end of an epoch) by the optimiser step that they mean.

    Raises InputError if a name is something else, or if the run is too short.
    """
    last_steps = {int(epochs[batch[0]]) + 1: step for step, batch in enumerate(found, start=1)}
    kept: dict[int, list[str]] = {}
    for name in names:
        number = name.removeprefix("epoch-")
        step = int(number) if number.isdecimal() else 0
        if name.startswith("epoch-"):
            step = last_steps.get(step, 0)
        if not 1 <= step <= len(found):
            raise InputError(
                f"step '{name}' cannot be kept: the run has {len(found)} steps in {len(last_steps)} epochs; "
                f"allowed: 1 to {len(found)}, epoch-1 to epoch-{len(last_steps)}"
            )
        kept.setdefault(step, []).append(name)
    return kept


def fine_tune(
    model: SentenceTransformer,
    pairs: pd.DataFrame,
    seed: int,
    temperature: float = 0.05,
    learning_rate: float = 2e-5,
    batch_size: int = 64,
    warmup: float = 0.1,
    precision: str = "fp32",
    mask_fraction: float = 0.0,
    kept_steps: Sequence[str] = (),
    keep: Keep = lambda name, history: None,
    checkpoints: Checkpoints | None = None,
) -> pd.DataFrame:
    """Fine-tune a model in place on pairs, in their order.

    In one of several processes, the model is trained by all of them together: each takes an equal part of every batch,
    negatives come from the whole batch, and the loss is the mean over it, as in one process.

    For a batch of pairs (a_i, p_i) the loss is the mean over i of
    -log( exp(cos(a_i, p_i) / T) / sum_j exp(cos(a_i, p_j) / T) ); the anchor and the positive pass through the encoder
    separately, so dropout masks differ.

    Args:
        model: on its device; its pooling, and a head after it, decide the representation that is trained; parameters
            that need no gradient stay as they are.
        pairs: columns `epoch`, `anchor`, `positive`, in training order.
        seed: decides the dropout masks and the masked tokens; the order is in the pairs.
        warmup: part of the first epoch over which the learning rate rises from 0.
        mask_fraction: part of the tokens of each text that the mask token replaces, anchor and positive independently.
        kept_steps: optimiser steps (`10`) and ends of epochs (`epoch-1`) after which `keep` is called with the step's
            name and the history so far, in the first process; the model is then as it was after that step.
        checkpoints: where the state is saved; the run goes on from the newest one there.

    Returns one row per optimiser step: `step` (from 1), `epoch`, `batch_size`, `learning_rate`, `loss`.

    Raises InputError if the loss becomes NaN or infinite, if the run has fewer steps than are to be kept, or if devices
    cannot share a batch equally; Interrupted if the process is asked to end, when the state has been saved.
    """
    devices, rank = processes.count(), processes.rank()
    epochs = pairs["epoch"].to_numpy()
    found = batches_in_order(epochs, batch_size, devices)
    first_epoch = sum(epochs[batch[0]] == epochs[0] for batch in found)
    kept = steps_to_keep(list(kept_steps), found, epochs)
    with ExitStack() as stack:
        if checkpoints is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            checkpoints = Checkpoints(Path(folder), minutes=float("inf"))
        stack.callback(shutil.rmtree, checkpoints.saving, ignore_errors=True)
        requests = stack.enter_context(signals.noted())
        history = History(found, epochs, kept, keep, checkpoints)
        arguments = SentenceTransformerTrainingArguments(
            output_dir=str(checkpoints.saving),
            num_train_epochs=1,  # all epochs are in the pairs
            per_device_train_batch_size=batch_size // devices,
            batch_sampler=lambda dataset, **_: BatchesInOrder(found, devices),
            optim="adamw_torch",  # without weight decay this is Adam
            weight_decay=0.0,
            learning_rate=learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=int(warmup * first_epoch),
            max_grad_norm=0.0,
            seed=seed_of(seed, rank),
            use_cpu=model.device.type == "cpu",
            dataloader_drop_last=devices > 1,  # the trainer would set it and warn; every part is whole
            ddp_find_unused_parameters=True,  # BERT's pooler is one
            logging_steps=1,
            logging_nan_inf_filter=False,
            save_strategy="no",  # but when our callback wants it
            report_to=[],
            disable_tqdm=True,
        )
        trainer = ResumableTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_pandas(pairs[["anchor", "positive"]], preserve_index=False),
            loss=MultipleNegativesRankingLoss(model, scale=1 / temperature, gather_across_devices=devices > 1),
            callbacks=[history, Checkpointing(checkpoints, requests)],
        )
        trainer.remove_callback(PrinterCallback)  # progress is logged by our own
        trainer.remove_callback(trainer.model_card_callback_class)
        newest = checkpoints.newest()
        if mask_fraction:
            done = step_of(newest) if newest else 0
            # Two calls for each step and device, one for the anchors and one for the positives.
            calls = (2 * (step * devices + rank) + column for step in itertools.count(done) for column in range(2))
            preprocess = trainer.data_collator.preprocess_fn
            masked = masked_preprocessing(preprocess, model.tokenizer, mask_fraction, seed, calls)
            trainer.data_collator.preprocess_fn = masked
        with encoder_forward(model, precision, TOKENS_PER_PASS[model.device.type]):
            trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    return pd.DataFrame(history.rows)


def seed_of(seed: int, rank: int) -> int:
    """The seed of one of several processes: their dropout masks differ; the first has the run's."""
    return int(np.random.SeedSequence([seed, rank]).generate_state(1)[0]) if rank else seed
