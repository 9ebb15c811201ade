"""Selection of devices and number of threads."""

import fcntl
import os
from pathlib import Path
from tempfile import gettempdir
from typing import TextIO

from selfembed.errors import InputError
from selfembed.jobs.command_line import log

# Lock files of this process. The operating system releases the locks when the process ends.
held: list[TextIO] = []


def choose_device(wish: str, devices: int = 1) -> str:
    """Return `cpu` or `cuda`; `auto` prefers a GPU.

    Sets CUDA_VISIBLE_DEVICES to the GPUs of this job: the first ones assigned by the scheduler or, without a
    scheduler, GPUs that no other job of this user has locked. Call this before any other use of a GPU.

    Raises InputError if too few GPUs are available.
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
            raise InputError(f"devices: {devices} GPUs requested, available: {len(own)}; expected: at most {len(own)}")
        return "cuda"
    if wish == "cuda":
        raise InputError("device: 'cuda' is set, but torch finds no GPU; expected: cpu or auto")
    return "cpu"


def own_gpus(gpus: list[str], wanted: int) -> list[str]:
    """Lock and return the first free GPUs; return the first GPUs if fewer than `wanted` are free.

    Snakemake counts GPUs (`--resources gpu=4`) but does not assign them to jobs.
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
        log.warning("other jobs of this user use %d of %d GPUs; this job shares one", len(gpus) - len(own), len(gpus))
    return gpus[:wanted]


def use_threads(threads: int) -> None:
    """Set the number of CPU threads of torch; results have the same bytes only for the same number of threads."""
    import torch

    torch.set_num_threads(threads)
