"""Compare published numbers with reproduced ones.

Writes a CSV table (published and reproduced value, difference, spread over seeds, sources of noise, verdict) and a
Markdown summary: verdicts by experiment, numbers that differ, and reasons why numbers cannot be compared; and an HTML
page with all numbers. Diverged runs count as not run.
"""

import pandas as pd

from selfembed.evidence import agreement
from selfembed.jobs import command_line
from selfembed.jobs.command_line import existing, log
from selfembed.jobs.records import write_table, write_text
from selfembed.pages import table_page
from selfembed.scores import tables

SHOWN = ["published", "reproduced", "difference", "tolerance", "n_seeds", "noise", "verdict", "reason"]


def markdown(comparison: pd.DataFrame) -> str:
    """Format a comparison: verdicts by experiment, differing numbers in per cent, reasons for numbers not compared."""
    counts = pd.crosstab(comparison["experiment"], comparison["verdict"])
    counts = counts.reindex(columns=list(agreement.VERDICTS), fill_value=0).reset_index()
    differing = in_per_cent(comparison[comparison["verdict"] == "differs"])
    shown = differing[[*agreement.KEY, "published", "reproduced", "difference", "tolerance", "noise"]].fillna("")
    parts = ["# Paper and reproduction", counts.to_markdown(index=False), "## Numbers that differ (%)"]
    parts.append(shown.to_markdown(index=False, disable_numparse=True) if len(shown) else "None.")
    reasons = comparison["reason"].value_counts(sort=False)
    if len(reasons):
        listed = pd.DataFrame({"numbers": reasons.to_numpy(), "published": reasons.index})
        parts += ["## Numbers that cannot be compared", listed.to_markdown(index=False)]
    return "\n\n".join(parts) + "\n"


def in_per_cent(comparison: pd.DataFrame) -> pd.DataFrame:
    """Format the numbers of a comparison in per cent; missing numbers are empty."""
    numbers = comparison[["published", "reproduced", "difference", "tolerance"]]
    return comparison.assign(**(100 * numbers).map("{:.1f}".format, na_action="ignore").astype(object).fillna(""))


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "published")
    parser.add_argument("--tables", type=existing, nargs="+", required=True, help="tables of experiments (CSV)")
    command_line.add_outputs(parser, output="CSV file", markdown="Markdown file", page="HTML file")
    arguments = parser.parse_args(argv)
    reproduced = pd.concat(
        [tables.read(path, *tables.SCORE_COLUMNS).assign(experiment=path.stem) for path in arguments.tables]
    )
    if diverged := reproduced["value"].isna().sum():
        log.info("%d scores of diverged runs are excluded", diverged)
    comparison = agreement.compare(tables.read(arguments.published, "experiment", *tables.SCORE_COLUMNS), reproduced)
    log.info("%s", comparison["verdict"].value_counts().to_dict())
    write_table(comparison, arguments.output)
    write_text(markdown(comparison), arguments.markdown)
    shown = in_per_cent(comparison)[[*agreement.KEY, *SHOWN]]
    write_text(table_page.html("Paper and reproduction (%)", shown), arguments.page)


if __name__ == "__main__":
    command_line.run(main)
