"""One step in several processes of one machine, one per device, as torch's distributed training wants them.

`torchrun` and `accelerate launch` start workers in sessions of their own: when a job is killed by its process group,
they go on and write into the checkpoints that the next job resumes from. Here they stay in the job's group.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time


def count() -> int:
    """Processes that work on this step together."""
    return int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """Number of this process among them; 0 writes the files."""
    return int(os.environ.get("RANK", 0))


def launch(processes: int) -> None:
    """Run this very command in several processes and wait for them; the first one's log is this process's.

    SIGTERM and SIGINT are passed on. If one fails, the others are ended.

    Raises SystemExit with the code of the process that failed; if it was not the first, its log is shown.
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
            process.wait(timeout=30)  # they may be writing a last checkpoint
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if logs[failed]:
        logs[failed].seek(0)
        sys.stderr.write(logs[failed].read())
    sys.exit(codes[failed] if codes[failed] > 0 else 128 - codes[failed])


def environment(rank: int, processes: int, port: int) -> dict[str, str]:
    """Variables by which torch and accelerate find the other processes, over the loopback alone."""
    words = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
    words |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return os.environ | {name: str(value) for name, value in words.items()}
