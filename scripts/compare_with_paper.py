"""Compare published numbers with ours, number by number.

Reads the published numbers and the tables of experiments. Writes a CSV table (paper, ours, difference, spread over
seeds, sources of noise, verdict) and a Markdown summary: verdicts by experiment, every number that differs, and why
numbers cannot be compared.
Runs that diverged count as not run.
"""

import pandas as pd

from selfembed.evidence import agreement
from selfembed.jobs import command_line
from selfembed.jobs.command_line import existing, log
from selfembed.jobs.records import write_table, write_text
from selfembed.scores import tables


def markdown(comparison: pd.DataFrame) -> str:
    """Verdicts by experiment, the numbers that differ, in per cent, and the reasons why numbers are not comparable."""
    counts = pd.crosstab(comparison["experiment"], comparison["verdict"])
    counts = counts.reindex(columns=list(agreement.VERDICTS), fill_value=0).reset_index()
    differing = comparison[comparison["verdict"] == "differs"].copy()
    for column in ("published", "reproduced", "difference", "tolerance"):
        differing[column] = differing[column].map(lambda value: f"{100 * value:.1f}")
    shown = differing[[*agreement.KEY, "published", "reproduced", "difference", "tolerance", "noise"]].fillna("")
    parts = ["# Paper and reproduction", counts.to_markdown(index=False), "## Numbers that differ (%)"]
    parts.append(shown.to_markdown(index=False, disable_numparse=True) if len(shown) else "None.")
    reasons = comparison["reason"].value_counts(sort=False)
    if len(reasons):
        listed = pd.DataFrame({"numbers": reasons.to_numpy(), "published": reasons.index})
        parts += ["## Numbers that cannot be compared", listed.to_markdown(index=False)]
    return "\n\n".join(parts) + "\n"


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "published")
    parser.add_argument("--tables", type=existing, nargs="+", required=True, help="tables of experiments (CSV)")
    command_line.add_outputs(parser, output="CSV file", markdown="Markdown file")
    arguments = parser.parse_args(argv)
    reproduced = pd.concat(
        [tables.read(path, *tables.SCORE_COLUMNS).assign(experiment=path.stem) for path in arguments.tables]
    )
    diverged = reproduced["value"].isna().sum()
    if diverged:
        log.info("%d scores of runs that diverged are left out", diverged)
    comparison = agreement.compare(tables.read(arguments.published, "experiment", *tables.SCORE_COLUMNS), reproduced)
    log.info("%s", comparison["verdict"].value_counts().to_dict())
    write_table(comparison, arguments.output)
    write_text(markdown(comparison), arguments.markdown)


if __name__ == "__main__":
    command_line.run(main)
