"""Contrastive fine-tuning on pairs with the trainer and losses of sentence-transformers, following the paper.

Adam without weight decay or gradient clipping, linear warm-up over a part of the first epoch followed by linear decay
to zero, dropout, in-batch negatives, one direction (anchor to positives).

Several processes share every batch: each encodes its part, the vectors are gathered, and the positives of the whole
batch are the negatives of every anchor, as in one process.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from safetensors.torch import load_model, save_model
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.util import batch_to_device
from transformers import PrinterCallback, TrainerCallback

from selfembed.embeddings.forward import encoder_forward
from selfembed.errors import InputError
from selfembed.jobs import interruption, seals
from selfembed.jobs.command_line import log
from selfembed.jobs.progress import Progress
from selfembed.jobs.records import read_json, write_json
from selfembed.models import encoders, interpolation
from selfembed.training import losses, processes
from selfembed.training.masking import masked_preprocessing

Keep = Callable[[str, pd.DataFrame], None]

# Tokens in a forward pass: few on CPUs to reduce padding; GPUs are faster with large passes.
TOKENS_PER_PASS = {"cpu": 1024, "cuda": 65536}

# Bytes of activations for each token, layer and dimension. Measured for MPNet and BERT in fp32: 90 with 64 tokens in a
# text, 108 with 160 (bf16: 58 to 84).
ACTIVATIONS = 100
KEPT_ON_CPU = 8e9  # bytes of activations that a step keeps on a CPU; on a GPU, a quarter of its memory

HISTORY = "history.json"
CHECKSUMS = "checksums.json"  # of the other files of a checkpoint; written last

# Early stopping: every so many steps, the loss of validation pairs is computed; training ends when it has not fallen by
# a hundredth for so many times.
VALIDATE_EVERY, PATIENCE, LEAST_GAIN = 20, 3, 0.01
VALIDATED, PART_VALIDATED, FEWEST_VALIDATED = 128, 1 / 20, 32  # texts: at most, their fraction, at least

STEPS_AT_CHANCE = 20  # consecutive steps with a loss at chance level before a warning


class Divergence(InputError):
    """A training whose loss is NaN or infinite.

    Attributes:
        history: one row per optimiser step so far.
        step: step with the non-finite loss; the last step if only the final model has a non-finite loss.
        loss: `nan`, `inf`.
        lost: names of kept steps without a usable model.
    """

    def __init__(self, message: str, history: pd.DataFrame, step: int, loss: float, lost: list[str]) -> None:
        super().__init__(message)
        self.history = history
        self.step = step
        self.loss = str(loss)
        self.lost = lost


def batches_in_order(epochs: np.ndarray, batch_size: int) -> list[list[int]]:
    """Return positions of pairs by batch, in order. Batches do not cross epochs; the last of an epoch may be smaller.

    Args:
        epochs: epoch of every pair, ascending, shape (pairs,).
    """
    found = []
    for epoch in np.unique(epochs):
        positions = np.flatnonzero(epochs == epoch).tolist()
        found.extend(positions[start : start + batch_size] for start in range(0, len(positions), batch_size))
    return found


def shared(found: list[list[int]], n_processes: int) -> list[list[int]]:
    """Batches that processes can share evenly: without the last few pairs where the size is no multiple of them."""
    even = [batch[: len(batch) // n_processes * n_processes] for batch in found]
    return [batch for batch in even if batch]


def shares(found: list[list[int]], n_processes: int) -> list[list[int]]:
    """Return the parts of every batch in the order in which accelerate assigns them to processes (round-robin)."""
    return [part.tolist() for batch in found for part in np.split(np.array(batch), n_processes)]


def agreed(value: Any) -> Any:
    """Broadcast a value from the first process."""
    if processes.count() == 1:
        return value
    values = [value]
    torch.distributed.broadcast_object_list(values)
    return values[0]


class BatchesInOrder(DefaultBatchSampler):
    """A batch sampler that yields given batches in order."""

    def __init__(self, found: list[list[int]]) -> None:
        self.found = found
        self.epoch = 0

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)


class ResumableTrainer(SentenceTransformerTrainer):
    """A trainer whose checkpoints contain only weights, because custom modules cannot always be loaded.

    It does not compute the norm of the gradients, which would read all of them twice in every step for the log alone.
    """

    def _get_grad_norm(self, model: torch.nn.Module, grad_norm: torch.Tensor | None = None) -> torch.Tensor | None:
        return grad_norm

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        Path(output_dir).mkdir(parents=True, exist_ok=True)
        save_model(self.model, str(Path(output_dir) / "weights.safetensors"))

    def _load_from_checkpoint(self, checkpoint_path: str) -> None:
        load_model(self.model, str(Path(checkpoint_path) / "weights.safetensors"))


def newest_checkpoint(folder: Path, before: float = np.inf) -> Path | None:
    """Return the valid checkpoint of the latest step before `before`; None if there is none."""
    found = [path.parent for path in folder.glob(f"checkpoint-*/{CHECKSUMS}") if step_of(path.parent) < before]
    return next((path for path in sorted(found, key=step_of, reverse=True) if is_whole(path)), None)


def is_whole(checkpoint: Path) -> bool:
    """Return whether the files of a checkpoint match their checksums; they may not after a crash of the machine."""
    try:
        whole = read_json(checkpoint / CHECKSUMS) == checksums_of(checkpoint)
    except InputError:
        whole = False
    if not whole:
        log.warning("%s: damaged; not used for resuming", checkpoint)
    return whole


def checksums_of(checkpoint: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a checkpoint except the file of checksums."""
    found = seals.checksums(checkpoint, checkpoint.name)
    return {name: checksum for name, checksum in found.items() if name != f"{checkpoint.name}/{CHECKSUMS}"}


def step_of(checkpoint: Path) -> int:
    """Return the optimiser step after which a checkpoint was saved."""
    return int(re.fullmatch(r"checkpoint-(\d+)", checkpoint.name)[1])


class Checkpoints(TrainerCallback):
    """Callback that requests a checkpoint every `seconds` seconds, and one after SIGTERM or SIGINT."""

    def __init__(self, history: "History", seconds: float, signals: list[int]) -> None:
        self.history = history
        self.seconds = seconds
        self.signals = signals
        self.is_interrupted = False
        self.saved = time.monotonic()

    def on_step_end(self, args, state, control, **kwargs) -> None:
        """Request a checkpoint if one is due; the last step of a run does not need one."""
        due = time.monotonic() - self.saved >= self.seconds
        self.is_interrupted, due = agreed((bool(self.signals), due))
        control.should_save = (due or self.is_interrupted) and state.global_step < state.max_steps

    def on_save(self, args, state, control, **kwargs) -> None:
        """Add the history and the checksums to the checkpoint; not after the last step, so that it is not resumed from.

        Raises SystemExit after SIGTERM or SIGINT.
        """
        if control.should_training_stop:
            return
        if processes.count() > 1:
            torch.distributed.barrier()  # wait until every process has saved its random state
        if processes.rank() == 0:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            write_json({"rows": self.history.rows, "first": self.history.first}, folder / HISTORY)
            write_json(checksums_of(folder), folder / CHECKSUMS)
        self.saved = time.monotonic()
        if self.is_interrupted:
            raise SystemExit(f"terminated after step {state.global_step}; run the same command again to resume")


@dataclass(eq=False)
class History(TrainerCallback):
    """Callback that records one row per optimiser step, saves kept steps, logs progress and detects divergence."""

    found: list[list[int]]
    epochs: np.ndarray
    kept: dict[int, list[str]]
    keep: Keep
    loss: torch.nn.Module
    rows: list[dict] = field(default_factory=list)
    first: float = 0.0  # loss of the first step, relative to chance
    learning_rate: float = 0.0
    at_chance: int = 0  # steps up to now with a loss at chance level

    def __post_init__(self) -> None:
        self.progress = Progress(len(self.found), "steps")

    def resume_from(self, checkpoint: Path) -> None:
        """Read the rows of a checkpoint."""
        self.rows, self.first = map(read_json(checkpoint / HISTORY).get, ("rows", "first"))
        self.progress.skip(len(self.rows))
        log.info("resuming after step %d of %d", len(self.rows), len(self.found))

    def on_step_begin(self, args, state, control, optimizer=None, **kwargs) -> None:
        """Store the learning rate of this step."""
        self.learning_rate = optimizer.param_groups[0]["lr"]

    def on_log(self, args, state, control, logs=None, **kwargs) -> None:
        """Record the completed step."""
        if "loss" not in logs:
            return
        batch = self.found[state.global_step - 1]
        row = {
            "step": state.global_step,
            "epoch": int(self.epochs[batch[0]]),
            "batch_size": len(batch),
            "learning_rate": self.learning_rate,
            "loss": logs["loss"],
        }
        self.rows.append(row)
        if not np.isfinite(row["loss"]):
            raise self.divergence(row, row["loss"], Path(args.output_dir))
        self.warn_of_collapse()
        for name in self.kept.get(row["step"], []):
            self.keep(name, pd.DataFrame(self.rows))
        self.progress.advance(1, f"loss {row['loss']:.4f}")

    def divergence(self, row: dict, loss: float, folder: Path, after: bool = False) -> Divergence:
        """Return the error for a non-finite loss at a step or, with `after`, of the model after that step.

        A non-finite loss at a step comes from the weights before the step, so the state before it is lost, too. The
        message names the newest checkpoint that was followed by a step with a finite loss.
        """
        broken = row["step"] if after else row["step"] - 1
        good = newest_checkpoint(folder, before=broken)
        kept = f"; the state after step {step_of(good)} is kept in {good}" if good else ""
        where = f"{'after' if after else 'at'} {self.moment(row)}"
        lost = [name for step, names in self.kept.items() for name in names if step >= broken]
        message = f"loss is {loss} {where}; try a smaller learning_rate{kept}"
        return Divergence(message, pd.DataFrame(self.rows), row["step"], loss, lost)

    def warn_of_collapse(self) -> None:
        """Warn if the loss has been at chance level for STEPS_AT_CHANCE steps, but was below it at the first step.

        The loss is bounded: with too high a learning rate, all texts can get the same vector, and the loss is then that
        of `losses.at_chance` instead of NaN. This is not an error: it occurs in the learning-rate sweep of the paper.
        """
        last = self.rows[-1]
        relative = last["loss"] / losses.at_chance(self.loss, last["batch_size"])
        self.first = relative if len(self.rows) == 1 else self.first
        self.at_chance = self.at_chance + 1 if relative > 0.99 else 0
        if self.at_chance == STEPS_AT_CHANCE and self.first < 0.95:
            since = self.rows[-STEPS_AT_CHANCE]
            log.warning("loss at chance level since %s; try a smaller learning_rate", self.moment(since))

    def moment(self, row: dict) -> str:
        """Describe the step of a row: number, epoch, learning rate and batch."""
        batch = self.found[row["step"] - 1]
        return (
            f"step {row['step']} of {len(self.found)} (epoch {row['epoch']}, learning rate {row['learning_rate']:.3g}, "
            f"batch of {row['batch_size']}: pairs {batch[0] + 1} to {batch[-1] + 1})"
        )


@dataclass(eq=False)
class EarlyStopping(TrainerCallback):
    """Callback that ends training when the loss of validation pairs no longer falls.

    The losses are in the column `validation_loss` of the history, from which a resumed run reads them.

    Attributes:
        history: added to the trainer before this callback.
        loss: computes the loss of the validation pairs.
    """

    history: History
    loss: Callable[[], float]

    def on_log(self, args, state, control, logs=None, **kwargs) -> None:
        """Compute the loss after every VALIDATE_EVERY steps."""
        if "loss" not in logs or state.global_step % VALIDATE_EVERY:
            return
        self.history.rows[-1]["validation_loss"] = agreed(self.loss())
        losses = [row["validation_loss"] for row in self.history.rows if "validation_loss" in row]
        log.info("validation loss %.4f", losses[-1])
        if is_flat(losses):
            log.info("stopped after step %d: the validation loss no longer falls", state.global_step)
            control.should_training_stop = True


def is_flat(losses: list[float]) -> bool:
    """Whether none of the last PATIENCE losses is lower by LEAST_GAIN than the lowest before them."""
    before, last = losses[:-PATIENCE], losses[-PATIENCE:]
    return bool(before) and min(last) > (1 - LEAST_GAIN) * min(before)


def validation_texts(pairs: pd.DataFrame, seed: int) -> np.ndarray:
    """Return a mask of the pairs of texts for validation; of none if there are too few texts.

    Args:
        pairs: with a column `id`.
    """
    ids = np.unique(pairs["id"].astype(str))
    number = min(VALIDATED, int(PART_VALIDATED * len(ids)))
    if number < FEWEST_VALIDATED:
        log.info("no early stopping: only %d texts", len(ids))
        return np.zeros(len(pairs), dtype=bool)
    drawn = np.random.default_rng(seed).choice(ids, number, replace=False)
    return pairs["id"].astype(str).isin(drawn).to_numpy()


@torch.no_grad()
def loss_of(
    model: SentenceTransformer,
    pairs: pd.DataFrame,
    temperature: float,
    guide: losses.Guide | None = None,
    matryoshka: Sequence[int] = (),
) -> float:
    """Compute the loss of a model on one batch of pairs, without dropout and masking."""
    model.eval()
    prompt = encoders.default_prompt(model)
    features = [
        batch_to_device(model.preprocess(pairs[column].tolist(), prompt=prompt), model.device)
        for column in ("anchor", "positive")
    ]
    return float(losses.contrastive(model, temperature, guide, matryoshka)(features, None))


def tokens_of_passes(model: SentenceTransformer) -> tuple[int, int]:
    """Return the number of tokens in a forward pass, and of those of a batch whose activations are kept.

    An embedding layer alone has passes as large as memory allows: the gradient of a pass is as large as the matrix.
    """
    device, layers = model.device, model[0].model.config.num_hidden_layers
    memory = KEPT_ON_CPU if device.type == "cpu" else torch.cuda.get_device_properties(device).total_memory / 4
    fitting = int(memory / (ACTIVATIONS * (layers + 1) * model[0].get_embedding_dimension()))
    per_pass = min(fitting, TOKENS_PER_PASS[device.type]) if layers else fitting
    return per_pass, fitting // 2  # anchors, then positives


def steps_to_keep(names: list[str], found: list[list[int]], epochs: np.ndarray) -> dict[int, list[str]]:
    """Return the names of kept steps (`10`, or `epoch-1` for the end of an epoch) by optimiser step.

    Interpolated steps are none of the optimiser and are left out.

    Raises InputError if a name is invalid or the run has fewer steps.
    """
    last_steps = {f"epoch-{epochs[batch[0]] + 1}": step for step, batch in enumerate(found, start=1)}
    kept: dict[int, list[str]] = {}
    for name in (name for name in names if interpolation.fraction_of(name) is None):
        step = last_steps.get(name, int(name) if name.isdecimal() else 0)
        if not 1 <= step <= len(found):
            raise InputError(
                f"step '{name}' cannot be kept: the run has {len(found)} steps in {len(last_steps)} epochs; "
                f"expected: 1 to {len(found)}, epoch-1 to epoch-{len(last_steps)}, "
                "interpolated-0.01 to interpolated-0.99"
            )
        kept.setdefault(step, []).append(name)
    return kept


def fine_tune(
    model: SentenceTransformer,
    pairs: pd.DataFrame,
    *,
    seed: int,
    temperature: float,
    learning_rate: float,
    batch_size: int,
    warmup: float,
    precision: str,
    mask_fraction: float,
    guide: SentenceTransformer | None = None,
    matryoshka: Sequence[int] = (),
    early_stopping: bool = False,
    kept_steps: Sequence[str] = (),
    keep: Keep = lambda name, history: None,
    checkpoints: Path | None = None,
    checkpoint_minutes: float = np.inf,
    tracking: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Fine-tune a model in place on pairs, in their order.

    For a batch of pairs (a_i, p_i) the loss is the mean over i of
    -log( exp(cos(a_i, p_i) / T) / sum_j exp(cos(a_i, p_j) / T) ). Anchors and positives are encoded separately, so
    their dropout masks differ. With a guide, the loss is `losses.GuidedLoss`.

    Args:
        model: on its device. The loss is computed on the output of its last module (pooling or projection head).
            Its default prompt, if any, precedes every text. Parameters with `requires_grad=False` are not changed.
        pairs: columns `epoch`, `anchor`, `positive` and, for early stopping, `id` of the text, in training order.
        seed: determines dropout masks and masked tokens.
        warmup: fraction of the first epoch over which the learning rate increases from 0.
        mask_fraction: fraction of the tokens of each text that are masked, independently for anchor and positive.
        guide: a copy of the model before fine-tuning, without projection head, which decides which texts of a batch are
            no negatives; it is not changed. It reads the same tokens as the model, with the same masks.
        matryoshka: numbers of first dimensions of the vectors that are trained beside all of them, as in
            `losses.contrastive`.
        early_stopping: end training when the loss of validation pairs, which are then not trained on, no longer falls;
            not with few texts.
        kept_steps: optimiser steps (`10`) and ends of epochs (`epoch-1`) after which `keep` is called with the name of
            the step and the history so far. Interpolated steps (`interpolated-0.25`) are ignored: they are made of the
            final model.
        checkpoints: folder for checkpoints of this run only, saved every `checkpoint_minutes` and on SIGTERM or SIGINT.
            Training resumes from the newest valid checkpoint in it. On CPUs, with the same number of threads, a
            resumed run gives the same bytes as an uninterrupted run. None: no checkpoints.
        tracking: arguments of the trainer for a tracker (None: none), as `tracking.trainer_arguments` returns them.

    Returns one row per optimiser step: `step` (from 1), `epoch`, `batch_size`, `learning_rate`, `loss` and, with early
    stopping, `validation_loss` after some of the steps.

    Raises Divergence, an InputError, if the loss is NaN or infinite at a step or after the last step; InputError if a
    kept step does not exist.
    """
    n_processes = processes.count()
    is_validated = validation_texts(pairs, seed) if early_stopping else np.zeros(len(pairs), dtype=bool)
    validation = pairs[is_validated & (pairs["epoch"] == pairs["epoch"].min())]
    pairs = pairs[~is_validated]
    epochs = pairs["epoch"].to_numpy()
    found = shared(batches_in_order(epochs, batch_size), n_processes)
    first_epoch = sum(epochs[batch[0]] == epochs[0] for batch in found)
    frozen = None if guide is None else losses.Guide(guide)
    what = temperature, frozen, matryoshka
    loss = losses.contrastive(model, *what, gather=n_processes > 1)
    history = History(found, epochs, steps_to_keep(list(kept_steps), found, epochs), keep, loss)
    with TemporaryDirectory() as nowhere, interruption.catch_signals() as signals:
        folder = checkpoints or Path(nowhere)
        arguments = SentenceTransformerTrainingArguments(
            output_dir=str(folder),
            num_train_epochs=1,  # all epochs are in the pairs
            per_device_train_batch_size=batch_size // n_processes,
            batch_sampler=lambda dataset, **_: BatchesInOrder(shares(found, n_processes)),
            accelerator_config={"even_batches": False},  # every process has the same number of batches
            ddp_backend={"cpu": "gloo", "cuda": "nccl"}[model.device.type] if n_processes > 1 else None,
            ddp_find_unused_parameters=True,  # a pooler, frozen layers
            optim="adamw_torch_fused",  # without weight decay this is Adam
            weight_decay=0.0,
            learning_rate=learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=int(warmup * first_epoch),
            max_grad_norm=0.0,
            seed=seed,
            use_cpu=model.device.type == "cpu",
            logging_steps=1,
            logging_nan_inf_filter=False,
            save_strategy="no",  # the callback Checkpoints requests checkpoints
            save_total_limit=2,  # the newest may be incomplete
            disable_tqdm=True,
            **(tracking or {"report_to": "none"}),
        )
        checkpoint = agreed(newest_checkpoint(folder))
        trainer = ResumableTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_pandas(pairs[["anchor", "positive"]], preserve_index=False),
            loss=loss,
            callbacks=[history],
        )
        trainer.data_collator.prompts = encoders.default_prompt(model)
        trainer.remove_callback(PrinterCallback)  # History logs progress
        trainer.remove_callback(trainer.model_card_callback_class)
        if len(validation):
            trainer.add_callback(EarlyStopping(history, lambda: loss_of(model, validation, *what)))
        if checkpoints:
            trainer.add_callback(Checkpoints(history, 60 * checkpoint_minutes, signals))
        if checkpoint:
            history.resume_from(checkpoint)
        if mask_fraction:
            preprocess = trainer.data_collator.preprocess_fn
            calls_before = 2 * len(history.rows)  # anchors and positives of every batch
            masked = masked_preprocessing(preprocess, model.tokenizer, mask_fraction, seed, calls_before)
            trainer.data_collator.preprocess_fn = masked
        if processes.rank():
            own_seed = np.random.SeedSequence([seed, processes.rank()]).generate_state(1)[0]
            torch.manual_seed(int(own_seed))  # different dropout masks in every process
        tokens = tokens_of_passes(model)
        with (
            losses.guide_forward(frozen, model.device, precision, tokens[0]),
            encoder_forward(model, precision, *tokens),
        ):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            # The loss of a step is that of the weights before the step, so the final weights are checked here.
            final_loss = agreed(loss_of(model, pairs.iloc[found[-1]], *what))
    if not np.isfinite(final_loss):
        raise history.divergence(history.rows[-1], final_loss, folder, after=True)
    return pd.DataFrame(history.rows)
