"""Distributed training on one machine: one process per device.

`torchrun` and `accelerate launch` start workers in new sessions. If the process group of a job is killed, these workers
keep running and overwrite the checkpoints that the next job resumes from. Here workers stay in the process group.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Makes each process a fork of the warm process, if there is one.
RUN = Path(__file__).parents[2] / "warm" / "run.py"


def count() -> int:
    """Return the number of processes of this step."""
    return int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """Return the rank of this process; rank 0 writes the files."""
    return int(os.environ.get("RANK", 0))


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
    sys.exit(codes[failed] if codes[failed] > 0 else 128 - codes[failed])


def environment(rank: int, processes: int, port: int) -> dict[str, str]:
    """Return the environment variables of torch.distributed for one process, with the loopback interface."""
    words = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
    words |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return os.environ | {name: str(value) for name, value in words.items()}
