"""Distributed training: one process per device, on one machine, or on several by a launcher such as torchrun.

On one machine, processes are started here. `torchrun` and `accelerate launch` start workers in new sessions. If
the process group of a job is killed, these workers keep running and overwrite the checkpoints that the next job resumes
from. Here workers stay in the process group.

A launcher sets the environment variables of torch.distributed for every process that it starts: RANK, WORLD_SIZE,
LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT. A scheduler must end its workers with the job.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs.command_line import exit_status

# Makes each process a fork of the warm process, if there is one.
RUN = Path(__file__).parents[2] / "warm" / "run.py"


def count() -> int:
    """Return the number of processes of this step."""
    return int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """Return the rank of this process; rank 0 writes the files."""
    return int(os.environ.get("RANK", 0))


def local_count() -> int:
    """Return the number of processes of this step on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def are_started(devices: int) -> bool:
    """Return whether this is one of the processes of a step with several devices, or the only one.

    Raises InputError if a launcher has started another number of processes.
    """
    if count() not in (1, devices):
        raise InputError(
            f"--devices {devices}, but {count()} processes are started (WORLD_SIZE); expected: a process per device"
        )
    return count() == devices


def launch_elsewhere(launcher: str) -> None:
    """Run the current command by a launcher, and wait for its end; SIGTERM and SIGINT are forwarded.

    Args:
        launcher: words of a command that this command is appended to; environment variables are replaced.

    Raises SystemExit with the exit code of the launcher, if it is not 0.
    """
    running = subprocess.Popen([*shlex.split(os.path.expandvars(launcher)), *sys.argv])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: running.send_signal(number))
    if code := running.wait():
        sys.exit(exit_status(code))


def launch(processes: int) -> None:
    """Run the current command in several processes and wait for them; only the log of the first is shown.

    SIGTERM and SIGINT are forwarded. If a process fails, the others are killed after 30 seconds.

    Raises SystemExit with the exit code of the failed process; if it was not the first, its log is shown.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    logs = [None, *(tempfile.TemporaryFile("w+") for _ in range(1, processes))]  # noqa: SIM115
    running = [
        subprocess.Popen(
            [sys.executable, RUN, *sys.argv], env=environment(number, processes, port), stderr=logs[number]
        )
        for number in range(processes)
    ]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: [process.send_signal(number) for process in running])
    while None in (codes := [process.poll() for process in running]) and not any(codes):
        time.sleep(0.1)
    if not any(codes):
        return
    failed = next(number for number, code in enumerate(codes) if code)
    for process in running:
        try:
            process.wait(timeout=30)  # they may be writing a checkpoint
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if logs[failed]:
        logs[failed].seek(0)
        sys.stderr.write(logs[failed].read())
    sys.exit(exit_status(codes[failed]))


def environment(rank: int, processes: int, port: int) -> dict[str, str]:
    """Return the environment variables of torch.distributed for one process, with the loopback interface."""
    words = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
    words |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return os.environ | {name: str(value) for name, value in words.items()}
