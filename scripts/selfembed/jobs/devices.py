"""Selection of devices and number of threads."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    scheduler, GPUs that no other job of this user has locked, for which it waits. Call this before any other use of a
    GPU.

    Raises InputError if too few GPUs are available.
    """
    if wish == "cpu":
        return "cpu"
    import torch

    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        gpus = [str(number) for number in range(torch.cuda.device_count())]
        is_shared = "LOCAL_RANK" in os.environ  # the processes of a launcher would wait for each other's locks
        own = gpus[:devices] if is_shared else own_gpus(gpus, devices)
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
    """Lock and return the first free GPUs; wait until enough are free. Without locks, return GPUs fewer than `wanted`.

    Snakemake counts jobs with a GPU (`--resources gpu=12`) but does not assign GPUs to them.
    """
    if len(gpus) < wanted:
        return gpus
    waiting = False
    while len(own := lock_free(gpus, wanted)) < wanted:
        while held:
            held.pop().close()
        if not waiting:
            log.info("other jobs of this user use %d of %d GPUs; waiting", len(gpus) - len(own), len(gpus))
            waiting = True
        time.sleep(1)
    return own


def lock_free(gpus: list[str], wanted: int) -> list[str]:
    """Lock and return up to `wanted` GPUs that no other job of this user has locked."""
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
            break
    return own


@contextmanager
def locked_gpus() -> Iterator[None]:
    """Lock the GPUs of this process within the context, and release them afterwards for other jobs.

    Jobs that use a GPU only at times, such as the evaluation of tasks, take turns in this way.
    """
    for lock in held:
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if held:
            import torch

            torch.cuda.empty_cache()
        for lock in held:
            fcntl.flock(lock, fcntl.LOCK_UN)


def use_threads(threads: int) -> None:
    """Set the number of CPU threads of torch; results have the same bytes only for the same number of threads."""
    import torch

    torch.set_num_threads(threads)
