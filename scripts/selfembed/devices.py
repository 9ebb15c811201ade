"""Where encoders run: on the CPU, or on GPUs that no other job uses."""

import fcntl
import os
import tempfile
import time
from pathlib import Path
from typing import IO

from selfembed.command_line import log
from selfembed.errors import InputError

# Open as long as the process lives: their locks say which GPUs it uses.
HELD: list[IO] = []


def choose_device(wish: str, count: int = 1) -> str:
    """`cpu` or `cuda`; `auto` takes GPUs where there are some. To be called before anything else uses a GPU.

    The process sees just `count` GPUs from here on: all that were given to it (CUDA_VISIBLE_DEVICES, as schedulers
    set it), or else some that no other job of the user holds; it waits until there are as many.

    Raises InputError if more GPUs are wanted than there are.
    """
    import torch

    n_devices = 0 if wish == "cpu" else torch.cuda.device_count()
    if wish == "cuda" and n_devices == 0:
        raise InputError("device: 'cuda' is wanted, but torch sees no GPU; allowed: cpu, auto")
    if n_devices == 0:
        return "cpu"
    if count > n_devices:
        raise InputError(f"devices: {count} are wanted, but torch sees {n_devices}; allowed: up to {n_devices}")
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken(visible(n_devices), count))
    return "cuda"


def visible(n_devices: int) -> list[str]:
    """Names of the GPUs that the process may use."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return given.split(",")[:n_devices] if given else [str(number) for number in range(n_devices)]


def taken(names: list[str], count: int) -> list[str]:
    """Some GPUs for this process alone, as long as it lives.

    If a scheduler gave no more than are needed, they are taken as they are: jobs on different GPUs may know theirs by
    the same number.
    """
    if len(names) == count and os.environ.get("CUDA_VISIBLE_DEVICES"):
        return names
    waiting = False
    while len(found := locked(names, count)) < count:
        if not waiting:
            log.info("%d of %d GPUs are free, %d needed; waiting for other jobs", len(found), len(names), count)
        waiting = True
        for file in found.values():
            file.close()
        time.sleep(1)
    HELD.extend(found.values())
    return list(found)


def locked(names: list[str], count: int) -> dict[str, IO]:
    """Up to `count` GPUs whose lock could be taken, with the open files that hold the locks."""
    found = {}
    for name in names:
        if len(found) == count:
            break
        file = open(lock_file(name), "a")  # noqa: SIM115 - open as long as the lock is held
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found[name] = file
        except BlockingIOError:
            file.close()
    return found


def lock_file(name: str) -> Path:
    """The file whose lock says that a GPU is in use by a job of this user."""
    return Path(tempfile.gettempdir()) / f"selfembed-{os.getuid()}-gpu-{name.replace('/', '-')}.lock"
