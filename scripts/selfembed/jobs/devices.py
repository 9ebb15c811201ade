"""Where encoders run, and on how many threads."""

import fcntl
import os
from pathlib import Path
from tempfile import gettempdir
from typing import TextIO

from selfembed.errors import InputError
from selfembed.jobs.command_line import log

# Locks of this process; open as long as it lives, so that they end with it, however it ends.
held: list[TextIO] = []


def choose_device(wish: str, devices: int = 1) -> str:
    """`cpu` or `cuda`; `auto` takes a GPU where there is one.

    A job sees as many GPUs as it uses: the first of those that a scheduler gave it, or, without a scheduler, some that
    no other job of this user has. To be called before anything else uses a GPU.

    Raises InputError if a GPU is wanted and there is none, or if there are too few.
    """
    import torch

    if wish == "cpu":
        return "cpu"
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        own = own_gpus([str(number) for number in range(torch.cuda.device_count())], devices)
    else:
        own = given.split(",")[:devices]
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(own)
    if torch.cuda.is_available():
        if len(own) < devices:
            raise InputError(
                f"devices: {devices} GPUs are wanted, but there are {len(own)}; allowed: at most {len(own)}"
            )
        return "cuda"
    if wish == "cuda":
        raise InputError("device: 'cuda' is wanted, but torch sees no GPU; allowed: cpu, auto")
    return "cpu"


def own_gpus(gpus: list[str], wanted: int) -> list[str]:
    """The first GPUs that no other process of this user has locked; the first of all if too few are left.

    Snakemake counts GPUs (`--resources gpu=4`) and does not say which one a job has.
    """
    own = []
    for gpu in gpus:
        lock = open(Path(gettempdir()) / f"selfembed-{os.getuid()}-gpu-{gpu}.lock", "w")  # noqa: SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        held.append(lock)
        own.append(gpu)
        if len(own) == wanted:
            return own
    if gpus:
        log.warning("other jobs of this user have %d of %d GPUs; sharing", len(gpus) - len(own), len(gpus))
    return gpus[:wanted]


def use_threads(threads: int) -> None:
    """Compute on exactly this many CPU threads: results are the same bytes only for the same number."""
    import torch

    torch.set_num_threads(threads)
