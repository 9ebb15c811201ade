"""One job in several processes of this machine, one per device, that train together."""

import logging
import os
import pickle
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import distributed
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException, start_processes

from selfembed import signals
from selfembed.command_line import start_logging
from selfembed.errors import InputError, Interrupted

BACKENDS = {"cpu": "gloo", "cuda": "nccl"}


def run(function: Callable[..., None], devices: int, device: str, *arguments) -> None:
    """Call a function in as many processes as devices, which reach each other through `torch.distributed`.

    One device needs no further process, and opens no connection. More are connected through this machine's loopback
    (`gloo` for CPUs, `nccl` for GPUs). Only the first process logs. Requests to end are passed on.

    Args:
        function: of a module, so that other processes can import it.
        device: `cpu` or `cuda`.

    Raises InputError or Interrupted as a process does, RuntimeError if one ends otherwise.
    """
    if devices == 1:
        function(*arguments)
        return
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        members = start_processes(
            member,
            (function, arguments, devices, device, folder),
            nprocs=devices,
            join=False,
            start_method="spawn",
        )

        def pass_on() -> None:
            for process in members.processes:
                process.terminate()

        with signals.noted(pass_on) as requests:
            try:
                while not members.join():
                    pass
            except (ProcessExitedException, ProcessRaisedException) as error:
                for path in sorted(folder.glob("*.error")):
                    raise pickle.loads(path.read_bytes()) from None
                if requests:
                    raise Interrupted(requests[0]) from None
                raise RuntimeError(f"process {error.error_index} of {devices} failed: {error}") from error


def member(
    rank: int,
    function: Callable[..., None],
    arguments: tuple,
    devices: int,
    device: str,
    folder: Path,
) -> None:
    """What one process does: join the others and call the function."""
    start_logging(logging.INFO if rank == 0 else logging.ERROR)
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(devices),
        LOCAL_WORLD_SIZE=str(devices),
        OMP_NUM_THREADS="1",
    )
    warnings.simplefilter("ignore", FutureWarning)  # of libraries about each other
    os.environ.update(GLOO_SOCKET_IFNAME="lo", NCCL_SOCKET_IFNAME="lo")
    if device == "cuda":
        torch.cuda.set_device(rank)
    distributed.init_process_group(
        BACKENDS[device], init_method=f"file://{folder / 'store'}", rank=rank, world_size=devices
    )
    try:
        function(*arguments)
    except (InputError, Interrupted) as error:
        (folder / f"{rank}.error").write_bytes(pickle.dumps(error))
        sys.exit(1)
    distributed.destroy_process_group()


def count() -> int:
    """Processes that train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Number of this process among them; 0 is the one that writes and logs."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def highest(value: int, device: torch.device) -> int:
    """The highest of the values of all processes."""
    if count() == 1:
        return value
    shared = torch.tensor(value, device=device)
    distributed.all_reduce(shared, op=distributed.ReduceOp.MAX)
    return int(shared)


def wait_for_all() -> None:
    """Go on when all processes have come here."""
    if count() > 1:
        distributed.barrier()
