"""Run a step in several processes on one machine, one per device, for torch's distributed training.

`torchrun` starts workers in new sessions. If a job is killed by its process group, they keep running and write to the
checkpoints that the next job resumes from. The processes started here stay in the group of the job.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time


def count() -> int:
    """Number of processes of this step."""
    return int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """Rank of this process; rank 0 writes the files."""
    return int(os.environ.get("RANK", 0))


def launch(processes: int) -> None:
    """Run this command in several processes and wait for them; the log of the first one is the log of this process.

    SIGTERM and SIGINT are forwarded. If one process fails, the others are terminated.

    Raises SystemExit with the code of the failed process; its log is printed if it was not the first one.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    logs = [None, *(tempfile.TemporaryFile("w+") for _ in range(1, processes))]  # noqa: SIM115
    running = [
        subprocess.Popen([sys.executable, *sys.argv], env=environment(number, processes, port), stderr=logs[number])
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
            process.wait(timeout=30)  # they may still write a checkpoint
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if logs[failed]:
        logs[failed].seek(0)
        sys.stderr.write(logs[failed].read())
    sys.exit(codes[failed] if codes[failed] > 0 else 128 - codes[failed])


def environment(rank: int, processes: int, port: int) -> dict[str, str]:
    """Environment variables for torch and accelerate; processes communicate over the loopback interface."""
    words = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
    words |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return os.environ | {name: str(value) for name, value in words.items()}
