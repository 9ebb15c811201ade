"""Disk space of a study with `keep: everything` and with `keep: results`, sampled while it runs.

Runs a config in two copies of the checkout, one after the other. Prints the largest and the last size of the results,
and how many files that both have differ.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

LARGE = ("encoders", "models/base", "models/tuned", "embeddings", "pairs")


def size(folder: Path) -> float:
    """MB of all files of a folder that exist at this moment."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += 0 if path.is_dir() else path.lstat().st_size
        except FileNotFoundError:
            continue
    return total / 1e6


def sampled(folder: Path, command: list[str], results: Path, seconds: float) -> list[dict[str, float]]:
    """Sizes of the results, and of their large parts, while a command runs in a folder."""
    found = []
    with open(folder / "run.log", "w") as log:
        running = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        while running.poll() is None:
            parts = {name: size(results / name) for name in LARGE}
            found.append(parts | {"all": size(results)})
            time.sleep(seconds)
    if running.returncode:
        sys.exit(f"{folder / 'run.log'}: snakemake failed")
    return found


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of the files of results and figures that a study keeps either way."""
    files = (path for top in ("results", "figures") for path in (folder / top).rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != ".snakemake_timestamp"
    }


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", default="config/smoke.yaml", help="a config of the checkout")
    parser.add_argument("--cores", default="2")
    parser.add_argument("--seconds", type=float, default=0.3, help="seconds between samples")
    parser.add_argument("--target", nargs="*", default=[])
    arguments = parser.parse_args()
    subfolder = yaml.safe_load(Path(arguments.configfile).read_text(encoding="utf-8")).get("folder", "")
    made = {}
    with tempfile.TemporaryDirectory() as top:
        for keep in ("everything", "results"):
            folder = Path(top) / keep
            subprocess.run(["git", "checkout-index", "--all", f"--prefix={folder}/"], check=True)
            command = [sys.executable, "-m", "snakemake", "--cores", arguments.cores, *arguments.target]
            command += ["--configfile", arguments.configfile, "--config", f"keep={keep}"]
            results = folder / "results" / subfolder
            samples = sampled(folder, command, results, arguments.seconds)
            made[keep] = checksums(folder)
            largest = {name: max(sample[name] for sample in samples) for name in samples[0]}
            print(f"{keep}: largest (MB)", {name: round(value, 2) for name, value in largest.items()})
            print(f"{keep}: at the end (MB) {size(results):.2f}", flush=True)
    both = set(made["everything"]) & set(made["results"])
    differing = [name for name in both if made["everything"][name] != made["results"][name]]
    print(f"{len(both)} files in both, {len(differing)} differ; {len(made['results']) - len(both)} only with results")


if __name__ == "__main__":
    main()
