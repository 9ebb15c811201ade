"""The state of a fine-tuning on disk: saved from time to time, so that a run that was cut off goes on.

The trainer saves and loads it: weights, Adam's moments, the schedule, all generators, the losses so far.
"""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from sentence_transformers import SentenceTransformerTrainer
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

    def whole(self) -> list[Path]:
        """The states that were saved to their end and kept, oldest first."""
        return sorted(self.folder.glob("step-*"), key=step_of)

    def newest(self) -> Path | None:
        """The newest whole state."""
        return next(reversed(self.whole()), None)

    def good_before(self, step: int) -> Path | None:
        """The newest state that is known to be good at a step that went wrong: the step after it went well."""
        return max((state for state in self.whole() if step_of(state) < step - 1), key=step_of, default=None)

    def keep(self, step: int) -> None:
        """Keep the state that was just saved, and the one before."""
        flush(self.saving)
        os.replace(self.saving / f"checkpoint-{step}", self.folder / f"step-{step}")
        for path in self.whole()[:-2]:
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
        self.ending = 0

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        """Say where the run goes on."""
        if state.global_step:
            log.info("goes on after step %d of %d", state.global_step, state.max_steps)

    def on_step_end(self, args, state, control, **kwargs) -> None:
        """Ask for a state, but of a run that is over."""
        # A request may have come to one of several processes, and they must end after the same step.
        self.ending = processes.highest(self.requests[0] if self.requests else 0, args.device)
        due = processes.highest(int(self.due(state.global_step)), args.device)
        control.should_save = bool(self.ending or due) and state.global_step < state.max_steps

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
        if self.ending:
            note = f"step {state.global_step} of {state.max_steps} is saved, run again to go on from there"
            raise Interrupted(self.ending, note)
