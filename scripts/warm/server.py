"""The warm process: it has imported the large libraries, and every job is a fork of it; `run.py` starts and asks it.

It initialises no GPU and computes nothing, so that forks can use GPUs and threads. It imports no module of selfembed,
so that jobs run the current code.

Between the warm process and a job is a process that waits for the job, forwards signals to it, and ends it if the
process that asked for it has ended.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import multiprocessing
import os
import resource
import runpy
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn, TextIO

import threadpoolctl

from warm.run import is_of_this_user

# Those that most jobs need; the last is not in every conda environment. Few jobs need mteb.
LIBRARIES = (
    *("sentence_transformers.sentence_transformer.losses", "accelerate", "pandas", "sklearn.linear_model"),
    "datasets",
)
SIGNALS = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def serve(listening: socket.socket, snakemake: int) -> None:
    """Import the libraries, and fork for every connection until Snakemake has ended."""
    os.chdir("/")
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")  # read at import; no job with an encoder downloads
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"  # a library that looks for a GPU does not initialise it
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # a scheduler sends them to all processes, so that jobs save their state
    with open(f"/proc/{snakemake}/stat") as stat:
        for name in LIBRARIES:
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module(name)
        gc.freeze()  # forks do not look through what is imported, and so share its memory
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        listening.settimeout(1)
        while is_running(stat):
            try:
                client, _ = listening.accept()
            except TimeoutError:
                continue
            with client:
                if is_of_this_user(client) and os.fork() == 0:
                    listening.close()
                    watch(client)


def is_running(stat: TextIO) -> bool:
    """Return whether a process runs, given its open file `/proc/…/stat`, which no later process of its number has."""
    try:
        stat.seek(0)
        return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except ProcessLookupError:
        return False


def watch(client: socket.socket) -> NoReturn:
    """Start a job that a client asks for, wait for it, and tell the client how it ended."""
    os.setpgid(0, 0)
    client.sendall(b"r")
    size, streams, *_ = socket.recv_fds(client, 8, 3)
    asked = json.loads(client.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL))  # fails if the client has ended
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    started = time.monotonic()
    job = multiprocessing.get_context("fork").Process(target=run, args=(client, streams), kwargs=asked)
    job.start()
    threading.Thread(target=forward_signals, args=(client, job.pid), daemon=True).start()
    job.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = {
        "status": job.exitcode,
        "seconds": time.monotonic() - started,
        "cpu": used.ru_utime + used.ru_stime,
        "megabytes": used.ru_maxrss / 1024,
    }
    with contextlib.suppress(ConnectionError):
        client.sendall(json.dumps(ended).encode() + b"\n")
    os._exit(0)


def forward_signals(client: socket.socket, job: int) -> None:
    """Send the signals that a client names to a job; end this process and the job when the client has ended."""
    with contextlib.suppress(ConnectionError):
        while number := client.recv(1):
            os.kill(job, number[0])
    os.killpg(0, signal.SIGKILL)


def run(
    client: socket.socket, streams: list[int], folder: str, command: list[str], environment: dict[str, str]
) -> None:
    """Run a script as `python` does, in a fork."""
    client.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (replaced by `Process`)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no job without a process that waits for it
    for number, handler in SIGNALS.items():
        signal.signal(number, handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    # As libraries do when they are imported: what the job asks for, but not more than there are processors.
    threadpoolctl.threadpool_limits(min(int(environment["OMP_NUM_THREADS"]), len(os.sched_getaffinity(0))))
    sys.argv = command
    sys.path[0] = str(Path(command[0]).parent.resolve())
    try:
        runpy.run_path(command[0], run_name="__main__")
    finally:
        atexit._run_exitfuncs()  # `Process` does not; it ends without freeing modules and so sooner


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
