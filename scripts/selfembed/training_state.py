"""The state of a fine-tuning on disk: saved from time to time, so that a run that was cut off goes on.

The trainer saves and loads it: weights, Adam's moments, the schedule, all generators, the losses so far.
"""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer
from transformers import TrainerCallback

from selfembed import processes
from selfembed.command_line import log
from selfembed.errors import Interrupted
from selfembed.records import flush


@dataclass
class Checkpoints:
    """Where the states of a run lie, and how often there is a new one.

    Args:
        minutes: between two states.
        steps: between two states, instead.
    """

    folder: Path
    minutes: float = 10.0
    steps: int | None = None

    @property
    def saving(self) -> Path:
        """Where the trainer writes a state; what is still there is not whole."""
        return self.folder / "saving"

    def newest(self) -> Path | None:
        """The newest whole state."""
        return max(self.folder.glob("step-*"), key=step_of, default=None)

    def keep(self, step: int) -> None:
        """Put the state that was just saved in the place of the older ones."""
        older = list(self.folder.glob("step-*"))
        flush(self.saving)
        os.replace(self.saving / f"checkpoint-{step}", self.folder / f"step-{step}")
        for path in older:
            shutil.rmtree(path)


def step_of(state: Path) -> int:
    """Optimiser steps after which a state was saved."""
    return int(state.name.removeprefix("step-"))


class ResumableTrainer(SentenceTransformerTrainer):
    """The trainer, which saves a model that anyone can load in its states, and no settings: these are flags."""

    def _save(self, output_dir: str | None = None, state_dict=None) -> None:
        self.model.save_pretrained(output_dir, create_model_card=False)


class Checkpointing(TrainerCallback):
    """Has the trainer save its state when it is time, and when the process is asked to end, which it then does."""

    def __init__(self, checkpoints: Checkpoints, requests: list[int]) -> None:
        self.checkpoints = checkpoints
        self.requests = requests
        self.saved = time.monotonic()

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        """Say where the run goes on."""
        if state.global_step:
            log.info("goes on after step %d of %d", state.global_step, state.max_steps)

    def on_step_end(self, args, state, control, model: SentenceTransformer | None = None, **kwargs) -> None:
        """Ask for a state, but of a run that is over or has diverged."""
        wanted = processes.highest(2 if self.requests else int(self.due(state.global_step)), args.device)
        if wanted == 2 and not self.requests:
            self.requests.append(15)
        unfinished = state.global_step < state.max_steps
        control.should_save = bool(wanted) and unfinished and is_finite(model)

    def due(self, step: int) -> bool:
        """Whether the newest state is old enough."""
        if self.checkpoints.steps:
            return step % self.checkpoints.steps == 0
        return time.monotonic() - self.saved >= 60 * self.checkpoints.minutes

    def on_save(self, args, state, control, **kwargs) -> None:
        """Keep the state; end if asked to.

        Raises Interrupted.
        """
        processes.wait_for_all()
        if state.is_world_process_zero:
            self.checkpoints.keep(state.global_step)
        processes.wait_for_all()
        self.saved = time.monotonic()
        if self.requests:
            note = f"step {state.global_step} of {state.max_steps} is saved, run again to go on from there"
            raise Interrupted(self.requests[0], note)


def is_finite(model: torch.nn.Module) -> bool:
    """Whether no weight is NaN or infinite."""
    return all(bool(torch.isfinite(weights).all()) for weights in model.parameters())
