"""Run a script as a fork of a process that has imported the large libraries: `python -m warm.run SCRIPT …`.

Importing torch, transformers and datasets takes seconds, which every job with an encoder would spend anew. The
first job of a Snakemake process starts the warm process (`server.py`), which imports them once. Every job is a fork of
it with its own environment, working directory and standard streams. The warm process ends with Snakemake.

With `--if-running` before the script, a job is a fork only if the warm process is there. So do jobs without an encoder:
they need less of what it has imported (pandas, scikit-learn), not enough to start it.

Without Snakemake, that is, without the variable SELFEMBED_WARM, or if there is no warm process, the command is the same
as `python SCRIPT …`.
"""

import contextlib
import json
import os
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import NoReturn

IF_RUNNING = "--if-running"
# Set by rules/common.smk: the process id of Snakemake and a random word, so that every Snakemake has its own address.
VARIABLE = "SELFEMBED_WARM"
OFF = "off"  # its value for no warm process
# Variables that libraries read when they are imported. The warm process has one thread; jobs set their own number.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

PEER = struct.Struct("3i")  # process, user and group of a peer, as in unix(7)


def main(command: list[str]) -> NoReturn:
    """Run a script with its arguments, and exit with its status."""
    starts = command[0] != IF_RUNNING
    command = command[not starts :]
    if os.environ.get(VARIABLE, OFF) != OFF and sys.platform == "linux":  # other systems have no abstract addresses
        try:
            environment = os.stat(sys.prefix)  # the path may be longer than an address
            server = connect(f"\0selfembed-{os.environ[VARIABLE]}-{environment.st_dev}-{environment.st_ino}", starts)
        except OSError as error:
            if starts:
                say(f"no warm process ({error}); this job imports the libraries itself")
        else:
            run_in_fork(server, command)
    os.execv(sys.executable, [sys.executable, *command])


def say(text: str) -> None:
    """Write a line to the log of the job."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def connect(address: str, starts: bool) -> socket.socket:
    """Return a connection to a warm process that is ready for a job.

    Args:
        address: of its socket.
        starts: whether it is started if there is none, and waited for while it imports the libraries.

    Raises OSError if there is none, it cannot be started, ends while it imports the libraries, or is of another user.
    """
    server = socket.socket(socket.AF_UNIX)
    for _ in range(100):
        try:
            server.connect(address)
            break
        except ConnectionRefusedError:
            if not starts:
                raise
            start(address)
            time.sleep(0.01)
    if not is_of_this_user(server):
        raise PermissionError("the process belongs to another user")
    server.settimeout(None if starts else 1)
    if not server.recv(1):
        raise ConnectionError("the process has ended")
    server.settimeout(None)
    return server


def is_of_this_user(peer: socket.socket) -> bool:
    """Return whether the process at the other end of a connection belongs to the user of this process."""
    _, user, _ = PEER.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
    return user == os.getuid()


def start(address: str) -> None:
    """Start the warm process, unless another job has just done so: an address can be bound only once."""
    import subprocess  # not needed by most jobs

    with socket.socket(socket.AF_UNIX) as listening:
        try:
            listening.bind(address)
        except OSError:
            return
        listening.listen(128)
        number, snakemake = listening.fileno(), os.environ[VARIABLE].split("-")[0]
        subprocess.Popen(
            [sys.executable, "-m", "warm.server", str(number), snakemake],
            pass_fds=[number],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[1],
            env=os.environ | dict.fromkeys(THREADS, "1") | {"THP_MEM_ALLOC_ENABLE": "1"},
            start_new_session=True,  # Ctrl-C in a terminal reaches jobs only through `run_in_fork`
        )


def run_in_fork(server: socket.socket, command: list[str]) -> NoReturn:
    """Run a script in a fork of the warm process, forward signals to it, and exit with its status."""
    job = json.dumps({"folder": os.getcwd(), "command": command, "environment": dict(os.environ)}).encode()
    socket.send_fds(server, [len(job).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(job)

    def forward(number: int, _: object) -> None:
        with contextlib.suppress(BrokenPipeError):  # the job has just ended
            server.send(bytes([number]))

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    with server.makefile() as answer:
        text = answer.readline()
    if not text:
        sys.exit("error: the process that watches this job was ended, and the job with it; run the same command again")
    ended = json.loads(text)
    # Snakemake's benchmark file knows only this process. bench/rules.py reads this line instead.
    say("job: {seconds:.1f} s, {cpu:.1f} CPU s, {megabytes:.0f} MB".format(**ended))
    status = ended["status"]
    if status < 0:
        memory = "; was the memory sufficient?" if -status == signal.SIGKILL else ""
        say(f"error: the job was ended by {signal.Signals(-status).name}{memory}")
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main(sys.argv[1:])
