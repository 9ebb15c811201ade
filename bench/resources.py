"""What every rule asks for, and what its jobs used at most in a finished run: the table of docs/cluster.md."""

import re
from pathlib import Path

import measure
import pandas as pd
import rule_files
import rules

GPUS = {"gpus_for_encoder": "1 for an encoder", "gpus_of_run": "devices_per_run"}


def main() -> None:
    """Read all records below a folder of logs and print the table in the order of the rules."""
    parser = measure.command_line.parser(__doc__)
    parser.add_argument("logs", type=measure.command_line.existing, help="folder of logs, for instance logs/smoke")
    print(table(used(parser.parse_args().logs)))


def table(costs: pd.DataFrame) -> str:
    """The table in Markdown: what is asked for from the rules' text, what was used from `costs`."""
    lines = [
        "| rule | threads | MB | minutes | GPU | jobs | MB used | seconds used |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rule, words in asked().items():
        cost = costs.loc[rule] if rule in costs.index else None
        numbers = ["–"] * 3 if cost is None else [f"{cost[key]:,.0f}" for key in ("jobs", "max_rss", "s")]
        lines.append(f"| `{rule}` | {' | '.join([*words, *numbers])} |")
    return "\n".join(lines)


def used(logs: Path) -> pd.DataFrame:
    """One row per rule: `jobs`, and of all its jobs the largest `max_rss` (MB) and `s` (seconds)."""
    return rules.records(logs).groupby("rule").agg({"jobs": "sum", "max_rss": "max", "s": "max"})


def asked() -> dict[str, list[str]]:
    """Threads, MB, minutes and GPUs that every rule asks for, as its file says them."""
    found = {}
    for name, directives in rule_files.directives().items():
        resources = directives.get("resources", "")
        gpu = re.search(r"^ *gpu=asked\.(\w+),$", resources, re.M)
        found[name] = [
            directives.get("threads", "1").replace("settings.", ""),
            formula(resources, r"mem_mb=(?:asked\.)?memory\w*"),
            formula(resources, r"runtime=minutes"),
            GPUS[gpu[1]] if gpu else "–",
        ]
    return found


def formula(resources: str, name: str) -> str:
    """A least number and a factor per MB of named inputs, for people; a dash if the rule does not ask."""
    call = re.search(rf"{name}\((\d+)(.*)\),$", resources, re.M)
    if call is None:
        return "–"
    return " + ".join(
        [f"{int(call[1]):,}", *(f"{factor} × {name}" for name, factor in re.findall(r"(\w+)=([\d.]+)", call[2]))]
    )


if __name__ == "__main__":
    main()
