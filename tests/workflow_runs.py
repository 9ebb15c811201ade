"""Running the workflow from a copy of the checkout, as tests need it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import warm_snakemake

ROOT = Path(__file__).parents[1]
CONFIGS = [
    "config.yaml",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "config").glob("*.yaml") if not path.is_symlink()),
]

# Where real data lies that tests may use but the project never needs; the default is a folder beside the checkout.
DATA = Path(os.environ.get("SELFEMBED_DATA", ROOT.parent / "shared" / "data"))


def copy_of_checkout(target: Path) -> Path:
    """A clean copy: the files that git knows or would add, and nothing generated."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and ((ROOT / name).is_file() or (ROOT / name).is_symlink()):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    return target


def without_network() -> list[str]:
    """A command prefix that cuts the network, where the system allows it."""
    prefix = ["unshare", "--map-root-user", "--net"]
    try:
        return prefix if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0 else []
    except OSError:
        return []


def environment() -> dict[str, str]:
    """Variables for a snakemake process; its jobs call `python`: the one that runs the tests, activated or not."""
    found = {key: value for key, value in os.environ.items() if not key.startswith("SNAKEMAKE")}
    return found | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), found["PATH"]])}


def snakemake(folder: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """Run snakemake in a folder; standard output and error come together in `stdout`. Dry runs start at once."""
    if not prefix and {"-n", "--dry-run"} & set(arguments):
        return warm_snakemake.dry_run(folder, arguments, environment())
    return cold_snakemake(folder, *arguments, prefix=prefix)


def cold_snakemake(folder: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """Run snakemake in a folder, in a new interpreter."""
    command = [*prefix, sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def kill_all(running: subprocess.Popen) -> None:
    """Kill a Snakemake that leads a process group, and all its jobs at once; wait until no process works in its folder.

    Forks of the warm process are not in the group; they are killed a moment after the processes that asked for them.
    """
    folder = os.readlink(f"/proc/{running.pid}/cwd")
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    deadline = time.monotonic() + 60
    while any(works_in(process, folder) for process in Path("/proc").glob("[0-9]*")):
        assert time.monotonic() < deadline, f"a process still works in {folder}"
        time.sleep(0.01)


def works_in(process: Path, folder: str) -> bool:
    """Whether a process of `/proc` has a folder as its working directory; one that has ended has none."""
    try:
        return os.readlink(process / "cwd") == folder
    except OSError:
        return False


def selfembed(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run the command `selfembed` of a copy of the checkout in that folder."""
    command = [sys.executable, "-m", "selfembed", *map(str, arguments)]
    variables = environment() | {"PYTHONPATH": str(folder / "scripts")}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)


def planned(folder: Path, *arguments: str, run=snakemake) -> dict[str, int]:
    """Jobs per rule of a dry run, without the target."""
    done = run(folder, "--dry-run", *arguments)
    assert done.returncode == 0, done.stdout
    if "Nothing to be done" in done.stdout:
        return {}
    table = done.stdout.split("Job stats:", 1)[1].split("total", 1)[0]
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)\s*$", table, flags=re.MULTILINE)}
    assert jobs, done.stdout
    return {rule: count for rule, count in jobs.items() if rule != "all"}
