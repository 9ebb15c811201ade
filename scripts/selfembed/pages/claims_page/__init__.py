"""Verdicts on claims as an HTML page, as Markdown, and as a table for print."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from selfembed.evidence import claims
from selfembed.pages import templates

DIGITS = {"points": 1, "share": 0, "points per layer": 2}
COLUMNS = ["verdict", "claim", "estimate (95 % interval)", "expected", "the paper's numbers"]


def number(value: float, unit: str) -> str:
    """Format an estimate without its unit: `+10.9`, `96`."""
    sign = "" if unit == "share" else "+"
    return f"{100 * value:{sign}.{DIGITS[unit]}f}".replace("-", "−")


def quantity(value: float, unit: str) -> str:
    """Format an estimate with its unit: `+10.9 points`, `96 %`; empty if it is missing."""
    if pd.isna(value):
        return ""
    return f"{number(value, unit)} {'%' if unit == 'share' else unit}"


def interval(row: pd.Series) -> str:
    """Format an estimate with its interval: `+10.9 points (8.1 to 13.6)`."""
    if row["result"] == claims.NOT_RUN:
        return claims.NOT_RUN
    if pd.isna(row["low"]):
        return f"{quantity(row['estimate'], row['unit'])} (no interval)".strip()
    low, high = (number(row[end], row["unit"]) for end in ("low", "high"))
    return f"{quantity(row['estimate'], row['unit'])} ({low} to {high})"


def expected(row: pd.Series) -> str:
    """Format the limit of an estimate: `above 0`, `above 90 %`."""
    limit = row["limit_value"]
    text = "0" if limit == 0 else quantity(limit, row["unit"])
    return f"{'above' if row['limit'] == 'at_least' else 'below'} {text}"


def theirs(row: pd.Series) -> str:
    """Format the estimate from published numbers: value, corpus if it differs, and whether it is as claimed."""
    if pd.isna(row["published"]):
        return ""
    elsewhere = f" ({row['published_on']})" if row["published_on"] != row["on"] else ""
    return f"{quantity(row['published'], row['unit'])}{elsewhere}, {row['published_result']}"


def based_on(row: pd.Series) -> str:
    """Format the numbers of texts and seeds of an estimate."""
    parts = [f"{row['n_texts']:,} texts"] if row["n_texts"] else []
    if row["n_seeds"]:
        parts.append(f"{row['n_seeds']} seed{'s' if row['n_seeds'] > 1 else ''}")
    return ", ".join(parts)


def drawn(row: pd.Series, rows: pd.DataFrame) -> dict[str, float | None]:
    """Return positions of estimate, interval bounds, limit and published estimate, in per cent of the width of a plot.

    All estimates of a claim with the same unit have the same scale. Missing values are None.
    """
    columns = ["estimate", "low", "high", "limit_value", "published"]
    alike = rows.loc[rows["unit"] == row["unit"], columns].to_numpy(dtype=float)
    least, most = np.nanmin(alike), np.nanmax(alike)
    width = most - least or 1.0
    return {
        name: None if pd.isna(row[name]) else round(4 + 92 * (float(row[name]) - least) / width, 2) for name in columns
    }


def grouped(judged: pd.DataFrame) -> Iterator[tuple[pd.Series, list[dict[str, Any]]]]:
    """Yield the first row of every claim, and its estimates as text and positions in a plot."""
    for _, rows in judged.groupby("claim", sort=False):
        estimates = [
            {
                "verdict": row["result"],
                "comparison": row["comparison"],
                "on": row["on"],
                "interval": interval(row),
                "expected": expected(row),
                "based_on": based_on(row),
                "needed": row["needed"],
                "published": theirs(row),
                "drawn": drawn(row, rows),
            }
            for _, row in rows.iterrows()
        ]
        yield rows.iloc[0], estimates


def for_print(judged: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a row for every claim, followed by a row for each of its estimates."""
    lines = []
    for claim, estimates in grouped(judged):
        lines.append([claim["verdict"], claim["sentence"], "", "", ""])
        for row in estimates:
            about = f"{row['comparison']}, {row['on']}"
            lines.append([row["verdict"], f"– {about}", row["interval"], row["expected"], row["published"]])
    return pd.DataFrame(lines, columns=COLUMNS)


def markdown(judged: pd.DataFrame) -> str:
    """Format a table of verdicts, followed by every claim with its estimates, as Markdown."""
    table = ["# Claims", "", "| verdict | claim |", "|:--|:--|"]
    table += [f"| {claim['verdict']} | {cell(claim['sentence'])} |" for claim, _ in grouped(judged)]
    parts = ["\n".join(table)]
    for claim, estimates in grouped(judged):
        lines = [f"## {claim['sentence']}", "", f"**{claim['verdict']}**"]
        lines += ["", f"The paper: {claim['paper']}"] if claim["paper"] else []
        headings = ["on", "comparison", "estimate (95 % interval)", "expected", "verdict", "the paper's numbers"]
        headings = headings if any(row["published"] for row in estimates) else headings[:-1]
        lines += ["", f"| {' | '.join(headings)} |", "|" + ":--|" * len(headings)]
        for row in estimates:
            verdict = f"{row['verdict']} (needed: {row['needed']})" if row["needed"] else row["verdict"]
            cells = [row["on"], row["comparison"], row["interval"], row["expected"], verdict, row["published"]]
            lines.append(f"| {' | '.join(map(cell, cells[: len(headings)]))} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def cell(text: str) -> str:
    """Escape the text of a cell in a Markdown table."""
    return text.replace("|", "\\|")


def html(judged: pd.DataFrame) -> str:
    """Return the HTML page; labels and sentences of the config are escaped."""
    found = list(grouped(judged))
    verdicts = [claim["verdict"] for claim, _ in found]
    published = judged["published_result"]
    return templates.filled(
        Path(__file__).parent,
        claims=found,
        counts={kind: verdicts.count(kind) for kind in claims.VERDICTS if kind in verdicts},
        published=(published == "as claimed").sum(),
        all_published=(published != "").sum(),
        css={kind: kind.replace(" ", "-") for kind in claims.VERDICTS},
    )
