"""A `python` whose scripts that run encoders start at once, as forks of a process that has imported their libraries.

Most of the time of a small workflow is the import of torch, transformers and mteb, in every job anew. `make demo` and
the tests on SLURM run such jobs in new interpreters.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import threadpoolctl

HEAVY = [
    "sentence_transformers.sentence_transformer.losses",
    "datasets",
    "accelerate",
    "pandas",
    "sklearn.linear_model",
]

SCRIPTS = (
    *("build_embedding_model", "build_pretrained_model", "build_random_model"),
    *("embed", "fine_tune", "import_encoder", "score_mteb"),
)

SHIM = """#!{python} -SE
import json, os, socket, sys
if len(sys.argv) < 2 or os.path.basename(sys.argv[1]) not in {names!r}:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    job = json.dumps({{"folder": os.getcwd(), "words": sys.argv[1:], "environment": dict(os.environ)}}).encode()
    socket.send_fds(server, [len(job).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(job)
    status = server.recv(1)
sys.exit(status[0] if status else 1)
"""


def main(command: list[str]) -> int:
    """Run a command in which `python FILE` is a fork if the file is one of SCRIPTS; return its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"{folder}/socket"
        shim = Path(folder, "python")
        names = [f"{script}.py" for script in SCRIPTS]
        shim.write_text(SHIM.format(python=sys.executable, address=address, names=names))
        shim.chmod(0o755)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(address)
            listening.listen(64)
            number = listening.fileno()
            server = subprocess.Popen([sys.executable, __file__, "--serve", str(number)], pass_fds=[number])
        variables = os.environ | {"PATH": os.pathsep.join([folder, os.environ["PATH"]])}
        try:
            return subprocess.run(command, env=variables).returncode
        finally:
            server.terminate()
            server.wait()


def serve(listening: socket.socket) -> None:
    """Fork for every job: one process that waits for it, and one that runs it."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
    for name in [*HEAVY, "mteb"]:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asking, _ = listening.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            size, files, *_ = socket.recv_fds(asking, 8, 3)
            with asking.makefile("rb") as stream:
                job = json.loads(stream.read(int.from_bytes(size, "big")))
            child = os.fork()
            if child == 0:
                run(files, **job)
            _, status = os.waitpid(child, 0)
            asking.sendall(bytes([os.waitstatus_to_exitcode(status) % 256]))
            os._exit(0)
        asking.close()


def run(files: list[int], folder: str, words: list[str], environment: dict[str, str]) -> None:
    """Run a script as `python` does, and exit."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    threadpoolctl.threadpool_limits(int(environment["OMP_NUM_THREADS"]))  # libraries read it when they are imported
    sys.argv = words
    sys.path[0] = str(Path(words[0]).parent.resolve())
    runpy.run_path(words[0], run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(socket.socket(fileno=int(sys.argv[2])))
    sys.exit(main(sys.argv[1:]))
