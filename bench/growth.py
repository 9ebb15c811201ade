"""How time and memory of every step grow with the number of texts: the workflow's own scripts, one after the other.

Corpora are generated from real docstrings (bench/texts.py). The encoder is small, because growth is what is measured: a
BERT with random weights and the tokenizer of all-MiniLM-L6-v2. Writes `growth.csv` and `growth.png` next to this file.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib
import measure
import numpy as np
import pandas as pd
import texts
from matplotlib.ticker import LogLocator, NullFormatter

from selfembed.jobs import command_line

HERE = Path(__file__).parent
SCRIPTS = HERE.parent / "scripts"
# Steps in their order: the script and its words. Every step finds what the steps before it wrote.
STEPS = {
    "prepare_corpus": "--source source.parquet --label label --id id --output corpus.parquet --counts counts.json",
    "describe_corpus": "--corpus corpus.parquet --output facts.csv --classes classes.csv",
    "make_pairs": "--corpus corpus.parquet --type crops --minimum-length 20 --seed 42 --output pairs.parquet "
    "--settings pairs.json",
    "build_random_model": "--tokenizer {tokenizer} --name small --layers {layers} --hidden-size {dim} "
    "--attention-heads 4 --intermediate-size {dim} --max-length 512 --seed 42 --output base",
    "fine_tune": "--base base --pairs pairs.parquet --pairs-settings pairs.json --name small --max-length {length} "
    "--seed 42 --device cpu --output tuned",
    "embed": "--model base/0 --corpus corpus.parquet --layers all --max-length {length} --device cpu --output "
    "embeddings",
    "score_knn": "--embeddings embeddings --corpus corpus.parquet --model tuned/bench/small/crops/seed-42 --step final "
    "--score knn --threads 2 --output knn.csv --outcomes knn.parquet",
    "score_linear": "--embeddings embeddings --corpus corpus.parquet --model tuned/bench/small/crops/seed-42 "
    "--step final --score linear --threads 2 --output linear.csv --outcomes linear.parquet",
    "compute_tsne": "--embeddings embeddings --corpus corpus.parquet --threads 2 --output map.parquet",
}


def main() -> None:
    """Run every step for every size, and write the table and the plot."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--texts", type=int, nargs="+", default=[1000, 3162, 10_000, 31_623, 100_000], help="sizes")
    parser.add_argument("--steps", nargs="+", default=list(STEPS), choices=list(STEPS), help="steps to run")
    parser.add_argument("--layers", type=int, default=2, help="layers of the encoder")
    parser.add_argument("--dim", type=int, default=64, help="width of the encoder")
    parser.add_argument("--length", type=int, default=64, help="tokens of a text")
    parser.add_argument("--folder", type=Path, help="folder to work in, kept; default: a temporary one")
    parser.add_argument("--table", type=Path, default=HERE / "growth.csv", help="CSV file to write")
    parser.add_argument("--extrapolate", type=int, help="run nothing; extrapolate the table to a number of texts")
    arguments = parser.parse_args()
    if arguments.extrapolate:
        print(extrapolated(pd.read_csv(arguments.table), arguments.extrapolate))
        return
    settings = {name: getattr(arguments, name) for name in ("layers", "dim", "length")}
    rows = []
    for size in arguments.texts:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            measure.apart(write_texts, size, Path(folder) / "source.parquet")  # see `run`
            for step in arguments.steps:
                seconds, megabytes = run(step, Path(folder), **settings)
                rows.append({"step": step, "texts": size, "seconds": seconds, "megabytes": megabytes})
                print(f"{step}, {size} texts: {seconds:.1f} s, {megabytes:.0f} MB", flush=True)
        table = pd.DataFrame(rows).round({"seconds": 2, "megabytes": 0})
        table.to_csv(arguments.table, index=False)
    draw(table, arguments.table.with_suffix(".png"))
    print(report(table))


def write_texts(size: int, path: Path) -> None:
    """Write generated texts to a Parquet file."""
    texts.many(size).to_parquet(path)


def run(step: str, folder: Path, more: str = "", **settings) -> tuple[float, float]:
    """Seconds and most megabytes of one step, start of the program included; `more` are words for its command line.

    What this process has in memory counts as the step's, so large things are made in another (`measure.apart`).
    """
    words = STEPS[step].format(tokenizer=measure.minilm(), **settings).split() + more.split()
    with open(folder / "log", "w") as log:
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, str(SCRIPTS / f"{step}.py"), *words], cwd=folder, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"error: {step}: {(folder / 'log').read_text()}")
    return time.perf_counter() - started, used.ru_maxrss * 1024 / 1e6


def slope(table: pd.DataFrame, column: str) -> float:
    """Exponent of growth between the two largest sizes: 1 is linear, 2 quadratic."""
    last = table.sort_values("texts").tail(2)
    return float(np.diff(np.log(last[column]))[0] / np.diff(np.log(last["texts"]))[0])


def report(table: pd.DataFrame) -> str:
    """A Markdown table: seconds and memory at the largest size, and exponents there."""
    largest = table["texts"].max()
    lines = [f"| step | seconds, {largest:,} texts | exponent | MB | exponent |", "|---|---|---|---|---|"]
    for step, rows in table.groupby("step", sort=False):
        last = rows.iloc[-1]
        lines.append(
            f"| `{step}` | {last['seconds']:.3g} | {slope(rows, 'seconds'):.2f} "
            f"| {last['megabytes']:,.0f} | {slope(rows, 'megabytes'):.2f} |"
        )
    return "\n".join(lines)


def extrapolated(table: pd.DataFrame, size: int) -> str:
    """A Markdown table: hours and memory at a larger size, by the measured exponents and in proportion to the texts."""
    ratio = size / table["texts"].max()
    lines = ["| step | hours | hours, in proportion | GB | GB, in proportion |", "|---|---|---|---|---|"]
    for step, rows in table.groupby("step", sort=False):
        cells = [
            f"{rows[column].iloc[-1] / unit * ratio**exponent:,.1f}"
            for column, unit in (("seconds", 3600), ("megabytes", 1000))
            for exponent in (slope(rows, column), 1)
        ]
        lines.append(f"| `{step}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Time and memory against the number of texts, on logarithmic axes, a line per step."""
    matplotlib.use("agg")
    from selfembed.drawing import figures

    steps = list(dict.fromkeys(table["step"]))
    figure, axes = figures.new_figure(16, 7, 2)
    for axis, column, what in zip(axes, ("seconds", "megabytes"), ("Seconds", "Megabytes at most"), strict=True):
        for step, color in zip(steps, figures.palette(steps).values(), strict=True):
            rows = table[table["step"] == step]
            axis.plot(rows["texts"], rows[column], ".-", color=color, label=step, linewidth=0.8, markersize=3)
        axis.set(xscale="log", yscale="log", xlabel="Texts", ylabel=what)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
        for scale in (axis.xaxis, axis.yaxis):
            scale.set_major_formatter("{x:,.0f}")
            scale.set_minor_formatter(NullFormatter())
    low = np.array([table["texts"].min(), table["texts"].max()])
    axes[0].plot(low, low / low[0], ":", color="grey", linewidth=0.6, label="linear")
    axes[1].legend(fontsize=5, loc="upper left", bbox_to_anchor=(1.02, 1))
    figures.save(figure, [path])


if __name__ == "__main__":
    main()
