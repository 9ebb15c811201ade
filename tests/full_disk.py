"""Runs scripts on a disk that is full and then not: `python full_disk.py JOBS DISK`, in a mount namespace of its own.

JOBS is a JSON file: a list of {"script", "argv", "kilobytes"}, the last being what is free at first. Prints a JSON list
that says for each how the script ended, what it said last, what lay there then, how it ended with the disk emptied,
and the checksums of what lies there then.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import embed  # noqa: F401 - loaded once
import fine_tune  # noqa: F401
import prepare_corpus  # noqa: F401
import score_knn  # noqa: F401
import selfembed.embedding
import selfembed.training  # noqa: F401
from interruptions import files, logged_run


def ended(script: str, argv: list[str], log: Path) -> int:
    """Exit status of a script in a process of its own, whose log lies elsewhere."""
    child = os.fork()
    if not child:
        try:
            logged_run(script, argv, log)
        except SystemExit as error:
            if isinstance(error.code, str):
                print(error.code, file=sys.stderr)
            os._exit(error.code if isinstance(error.code, int) else 1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def tried(disk: Path, job: dict) -> dict:
    """What a script does on a full disk, and then on one with space."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], check=True)
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - 1024 * job["kilobytes"]))
    log = disk.with_name("said")
    log.with_suffix(".log").write_text("")
    code = ended(job["script"], job["argv"], log)
    said = log.with_suffix(".log").read_text().splitlines()[-1:]
    filler.unlink()
    left = sorted(path.name for path in disk.iterdir())
    again = ended(job["script"], job["argv"], log)
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files(disk).items()}
    subprocess.run(["umount", str(disk)], check=True)
    return {"code": code, "said": said, "left": left, "again": again, "found": found}


if __name__ == "__main__":
    print(json.dumps([tried(Path(sys.argv[2]), job) for job in json.loads(Path(sys.argv[1]).read_text())]))
