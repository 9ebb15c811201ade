"""Where encoders run."""

import fcntl
import os
from pathlib import Path
from tempfile import gettempdir
from typing import TextIO

from selfembed.command_line import log
from selfembed.errors import InputError

# Locks of this process; open as long as it lives, so that they end with it, however it ends.
held: list[TextIO] = []


def choose_device(wish: str) -> str:
    """`cpu` or `cuda`; `auto` takes a GPU where there is one.

    A job uses one GPU: the first of those that a scheduler gave it, or, without a scheduler, one that no other job of
    this user has. (On several, the trainer would split every batch and with it the negatives.) To be called before
    anything else uses a GPU.

    Raises InputError if a GPU is wanted and there is none.
    """
    import torch

    if wish != "cpu":
        given = os.environ.get("CUDA_VISIBLE_DEVICES")
        gpus = [str(number) for number in range(torch.cuda.device_count())]
        os.environ["CUDA_VISIBLE_DEVICES"] = own_gpu(gpus) if given is None else given.split(",")[0]
    if wish == "cuda" and not torch.cuda.is_available():
        raise InputError("device: 'cuda' is wanted, but torch sees no GPU; allowed: cpu, auto")
    if wish == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return wish


def own_gpu(gpus: list[str]) -> str:
    """The first GPU that no other process of this user has locked; the first of all if none is left.

    Snakemake counts GPUs (`--resources gpu=4`) and does not say which one a job has.
    """
    for gpu in gpus:
        lock = open(Path(gettempdir()) / f"selfembed-{os.getuid()}-gpu-{gpu}.lock", "w")  # noqa: SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        held.append(lock)
        return gpu
    if gpus:
        log.warning("all %d GPUs have a job of ours; sharing the first", len(gpus))
    return gpus[0] if gpus else ""
