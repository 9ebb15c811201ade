"""Draw reproduced numbers against published ones.

Writes a figure with a point per reproduced number, with the spread over seeds, and bars with the number of verdicts by
experiment.
"""

from selfembed.jobs import command_line

COLORS = {"within noise": "#2ca02c", "differs": "#d62728", "not comparable": "#8c8cb8", "not run": "#dcdcdc"}


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, comparison="comparison of numbers (CSV)")
    command_line.add_images(parser)
    arguments = parser.parse_args(argv)
    import pandas as pd

    from selfembed.drawing import figures

    comparison = pd.read_csv(arguments.comparison, keep_default_na=False, na_values=[""])
    counts = pd.crosstab(comparison["experiment"], comparison["verdict"])
    counts = counts.reindex(index=list(dict.fromkeys(comparison["experiment"])), columns=list(COLORS), fill_value=0)
    figure, (points, bars) = figures.new_figure(16, max(7, 1.5 + 0.36 * len(counts)), 2)
    points.plot([0, 1], [0, 1], color="grey", linewidth=0.5, zorder=0)
    for verdict in ("not comparable", "within noise", "differs"):
        shown = comparison[(comparison["verdict"] == verdict) & (comparison["n_seeds"] > 0)]
        style = {"fmt": ".", "markersize": 3, "elinewidth": 0.4, "alpha": 0.7, "color": COLORS[verdict]}
        style |= {"yerr": shown["seed_spread"].fillna(0), "label": f"{verdict} ({len(shown)})"}
        points.errorbar(shown["published"], shown["reproduced"], **style)
    if not (comparison["n_seeds"] > 0).any():
        points.text(0.5, 0.5, "no published number was run", ha="center", va="bottom", rotation=45, color="grey")
    points.set(xlim=(0, 1), ylim=(0, 1), xlabel="Published", ylabel="Reproduced", aspect="equal")
    figures.percent_axis(points.xaxis)
    figures.percent_axis(points.yaxis)
    left = 0
    for verdict in COLORS:
        bars.barh(range(len(counts)), counts[verdict], left=left, color=COLORS[verdict], label=verdict, height=0.7)
        left = left + counts[verdict].to_numpy()
    bars.set_yticks(range(len(counts)), counts.index)
    bars.invert_yaxis()
    bars.set_xlabel("Published numbers")
    # Above the bars, because the longest ones would overlap a legend below.
    bars.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncol=2, fontsize=6)
    figures.save(figure, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
