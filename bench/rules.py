"""What every rule of a finished run cost: jobs, seconds, processor seconds and memory, from Snakemake's own records.

Snakemake does not see the memory and processor time of forks of the warm process; their logs tell them.
"""

import re
from pathlib import Path

import measure
import pandas as pd

FORK = re.compile(r" job: [\d.]+ s, (?P<cpu_time>[\d.]+) CPU s, (?P<max_rss>\d+) MB$", re.MULTILINE)


def main() -> None:
    """Read all records below a folder of logs and print a table, dearest rule first."""
    parser = measure.command_line.parser(__doc__)
    parser.add_argument("logs", type=measure.command_line.existing, help="folder of logs, for instance logs/demo")
    found = rules(parser.parse_args().logs)
    print("| rule | jobs | seconds | CPU seconds | maximum MB |\n|---|---|---|---|---|")
    found.loc["all"] = [found["jobs"].sum(), found["s"].sum(), found["cpu_time"].sum(), found["max_rss"].max()]
    for rule, row in found.iterrows():
        print(f"| `{rule}` | {row.jobs:.0f} | {row.s:.0f} | {row.cpu_time:.0f} | {row.max_rss:,.0f} |")


def rules(logs: Path) -> pd.DataFrame:
    """One row per rule: `jobs`, and of all its jobs the sums of `s` and `cpu_time` and the largest `max_rss` (MB)."""
    columns = {"jobs": "sum", "s": "sum", "cpu_time": "sum", "max_rss": "max"}
    return records(logs).groupby("rule").agg(columns).sort_values("cpu_time", ascending=False)


def records(logs: Path) -> pd.DataFrame:
    """Snakemake's record of every job below a folder of logs, with its `rule`."""
    found = []
    for path in sorted(logs.rglob("*.tsv")):
        rule = Path(path.relative_to(logs).parts[0]).stem
        fork = FORK.search(path.with_suffix(".log").read_text(encoding="utf-8"))
        used = {key: float(number) for key, number in fork.groupdict().items()} if fork else {}
        found.append(pd.read_csv(path, sep="\t", na_values="-").assign(rule=rule, jobs=1, **used))
    return pd.concat(found)


if __name__ == "__main__":
    main()
