"""Draw the stages of the workflow, `docs/images/workflow.svg`: a box for each file in `rules/`, arrows to its readers.

Files and arrows are those of the rule graph of the smoke config, in which every stage but downloads runs. The arrows of
downloads and the places of the boxes are set here; that scores read downloaded tasks is not shown. An arrow is left
out if other arrows lead the same way. Published numbers, which are only compared with ours, do not count as such a way.
Exports are embedded and scored as other models are, which is not shown.

    python bench/workflow_picture.py
"""

import re
import subprocess
import sys
import textwrap
from html import escape
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "workflow.svg"
# Column and row of each stage.
PLACES = {
    "downloads": (1, 0),
    **{"corpora": (0, 1), "pairs": (1, 1), "models": (2, 1), "embeddings": (3, 1)},
    **{"published": (1, 2), "scores": (2, 2), "maps": (3, 2)},
    **{"claims": (0, 3), "tables": (1, 3), "figures": (2, 3), "report": (3, 3)},
    "exports": (3, 4),
}
WIDTH, COLUMN, GAP = 206, 228, 56  # pixels: width of a box, distance of columns, space between rows
LINE, CHARACTERS = 14, 28  # height of a line in pixels, its length
RULE = re.compile(r"^(?:rule|use rule \w+ as) (\w+)", re.MULTILINE)


def stages() -> dict[str, list[str]]:
    """Rules by the file in `rules/` that defines them."""
    found = {path.stem: RULE.findall(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob("rules/*.smk"))}
    return {stage: rules for stage, rules in found.items() if rules}


def arrows(rules: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Pairs of stages: the second one reads what the first one writes."""
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "--configfile", "config/smoke.yaml"]
    graph = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    stage_of = {rule: stage for stage, found in rules.items() for rule in found}
    stage = {number: stage_of.get(rule) for number, rule in re.findall(r'(\d+)\[label = "(\w+)', graph)}
    edges = {(stage[first], stage[second]) for first, second in re.findall(r"(\d+) -> (\d+)", graph)}
    whole = nx.DiGraph((first, second) for first, second in edges if first and second and first != second)
    apart = [edge for edge in whole.edges if "published" in edge or edge == ("report", "exports")]
    apart += [("downloads", "corpora"), ("downloads", "models")]
    return sorted([*nx.transitive_reduction(whole.subgraph(set(whole) - {"published", "exports"})).edges, *apart])


def picture(rules: dict[str, list[str]], edges: list[tuple[str, str]]) -> str:
    """The picture as SVG, legible on light and dark pages."""
    texts = {stage: textwrap.wrap(", ".join(found), CHARACTERS) for stage, found in rules.items()}
    heights = [0] * (1 + max(row for _, row in PLACES.values()))
    for stage, lines in texts.items():
        row = PLACES[stage][1]
        heights[row] = max(heights[row], 34 + LINE * len(lines))
    tops = [2 + sum(heights[:row]) + GAP * row for row in range(len(heights))]
    width, height = 3 * COLUMN + WIDTH + 4, tops[-1] + heights[-1] + 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, sans-serif" font-size="11">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto" '
        'markerUnits="userSpaceOnUse"><path d="M0 0L8 4L0 8z" fill="#808080"/></marker></defs>',
    ]
    for first, second in edges:
        line = path(PLACES[first], PLACES[second], tops, heights)
        said = f"<title>{first} → {second}</title>"
        parts.append(
            f'<path d="{line}" fill="none" stroke="#808080" stroke-width="1.6" marker-end="url(#tip)">{said}</path>'
        )
    for stage, lines in texts.items():
        left, top = 2 + COLUMN * PLACES[stage][0], tops[PLACES[stage][1]]
        parts.append(
            f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{heights[PLACES[stage][1]]}" rx="8" fill="#eef3f9" '
            'stroke="#5b7fa6"/>'
        )
        parts.append(
            f'<text x="{left + 10}" y="{top + 21}" font-size="15" font-weight="600" fill="#12304f">{stage}</text>'
        )
        parts += [
            f'<text x="{left + 10}" y="{top + 40 + LINE * number}" fill="#333">{escape(line)}</text>'
            for number, line in enumerate(lines)
        ]
    return "\n".join([*parts, "</svg>", ""])


def path(first: tuple[int, int], second: tuple[int, int], tops: list[int], heights: list[int]) -> str:
    """The line between two neighbouring boxes: sideways in a row, else from the bottom to the top of the next row."""
    (column, row), (to, below) = first, second
    if row == below:
        forwards = to > column
        start = 2 + COLUMN * column + WIDTH * forwards
        return f"M{start} {tops[row] + 60}H{2 + COLUMN * to + WIDTH * (not forwards)}"
    shift = 24 * (to - column)  # so that lines to several boxes do not begin or end at one point
    start, end = (2 + COLUMN * place + WIDTH // 2 for place in (column, to))
    top, bottom = tops[row] + heights[row], tops[below]
    middle = (top + bottom) // 2
    return f"M{start + shift} {top}C{start + shift} {middle} {end - shift} {middle} {end - shift} {bottom}"


if __name__ == "__main__":
    rules = stages()
    PICTURE.write_text(picture(rules, arrows(rules)), encoding="utf-8")
