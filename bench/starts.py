"""What the start of a job costs: in a new process, and as a fork of the warm process (`scripts/warm/`).

The job embeds two texts with all-MiniLM-L6-v2; both ways write the same bytes. With `--runs`, also the time of whole
runs of a config in fresh copies of the checkout, in turns, without and with the warm process.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
import pandas as pd

from selfembed.texts.corpora import COLUMNS
from warm.run import THREADS, VARIABLE

ROOT = Path(__file__).parents[1]
PLAIN, WARM = "new process", "fork"


def main() -> None:
    """Time both ways in turns and print tables."""
    parser = measure.parser(__doc__, rounds=10, threads=1)
    parser.add_argument("--runs", type=int, default=0, help="whole runs each way")
    parser.add_argument("--configfile", default="config/smoke.yaml", help="config of whole runs")
    arguments = parser.parse_args()
    if arguments.rounds:
        with tempfile.TemporaryDirectory() as folder:
            print(measure.report(jobs(Path(folder), arguments.rounds, arguments.threads), PLAIN), flush=True)
    seconds: dict[str, list[float]] = {PLAIN: [], WARM: []}
    for _, name in measure.in_turns(list(seconds), arguments.runs):
        with tempfile.TemporaryDirectory() as folder:
            steps, taken = run(Path(folder), arguments.configfile, name)
        seconds[name].append(taken)
        print(f"{name}: {steps} jobs in {taken:.0f} s", flush=True)
    if arguments.runs:
        print(measure.report(seconds, PLAIN))


def jobs(folder: Path, rounds: int, threads: int) -> dict[str, list[float]]:
    """Seconds of the job in every round; the first start, which does not count, is also that of the warm process."""
    texts = pd.DataFrame({"id": ["a", "b"], "text": ["A text.", "Another text."]})
    texts.reindex(columns=COLUMNS).to_parquet(folder / "corpus.parquet")
    words = f"--model {measure.minilm()} --corpus corpus.parquet --device cpu --threads {threads} --output"
    variables = os.environ | {"HF_HUB_OFFLINE": "1"} | dict.fromkeys(THREADS, str(threads))

    def job(output: str, **more: str) -> None:
        command = [sys.executable, ROOT / "scripts/warm/run.py", ROOT / "scripts/embed.py", *words.split(), output]
        subprocess.run(command, cwd=folder, env=variables | more, check=True, capture_output=True)

    started = time.perf_counter()
    job(WARM, **{VARIABLE: f"{os.getpid()}-{started}"})
    print(f"start of the warm process and the first job: {time.perf_counter() - started:.1f} s")
    ways = {PLAIN: lambda: job(PLAIN), WARM: lambda: job(WARM, **{VARIABLE: f"{os.getpid()}-{started}"})}
    seconds = measure.alternate(ways, rounds)
    one, two = ((folder / name / "embeddings.npy").read_bytes() for name in ways)
    assert one == two, "the ways give different vectors"
    return seconds


def run(folder: Path, configfile: str, name: str) -> tuple[int, float]:
    """Run a config in a copy of what git knows; return the number of jobs and the seconds."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    command = [sys.executable, "-m", "snakemake", "--configfile", configfile, "--cores", "2"]
    variables = os.environ | {VARIABLE: "off" if name == PLAIN else ""}
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=True)
    return int(re.findall(r"^(\d+) of \d+ steps", done.stderr, re.MULTILINE)[-1]), time.perf_counter() - started


if __name__ == "__main__":
    main()
