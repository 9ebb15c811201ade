"""Draw MTEB scores of one model over optimiser steps (Figure 1 of the paper).

Writes a figure with a line per block of tasks, black lines for means over blocks, and crosses for published means. The
step `final` is not drawn.
"""

import itertools

from selfembed.errors import InputError
from selfembed.jobs import command_line
from selfembed.scores import tables

BLOCKS = {"clustering": "Clustering", "reranking": "Reranking", "retrieval": "Retrieval", "sts": "STS"}
BLOCKS |= {"classification": "Classification"}
PAPER_COLORS = {"clustering": "#d21820", "reranking": "#1869ff", "retrieval": "#008a00", "sts": "#f36dff"}
PAPER_COLORS |= {"classification": "#8a5a00"}
MEAN_STYLES = ("-", (0, (2, 1)), (0, (1, 1)))  # short dashes, visible in a legend


def main(argv: list[str]) -> None:
    parser = command_line.parser_of_figure(__doc__)
    arguments = parser.parse_args(argv)
    from selfembed.drawing import figures, panels
    from selfembed.evidence import blocks

    scores = tables.one_number_per(["corpus", "step"], figures.read_table(arguments.table, score=["mteb"]))
    published = figures.read_published(arguments.published, scores)
    means, known, sets = blocks.block_means(scores, published, ["series", "step", "seed"])
    means, known = panels.numbers(means, "step"), panels.numbers(known, "step")
    if means.empty:
        raise InputError(f"{arguments.table}: no step has scores of all tasks; nothing to draw")
    names = [name for name in BLOCKS if name in set(means["block"])]
    names += sorted(set(means["block"]) - {*names, *sets})
    colors = figures.palette(names) | PAPER_COLORS
    figure, (axis,) = figures.new_figure(3 * 2.54, 1.5 * 2.54)
    for name in names:
        label = BLOCKS.get(name, name)
        shown = means[means["block"] == name].assign(series=label)
        panels.lines(axis, shown, "step", {label: colors[name]}, marker="", linewidth=0.6, alpha=0.6)
    for name, line in zip(sets, itertools.cycle(MEAN_STYLES)):
        label = name.capitalize()
        shown = means[means["block"] == name].assign(series=label)
        panels.lines(axis, shown, "step", {label: "black"}, marker="", linewidth=1.0, linestyle=line)
    panels.mark_published(axis, known[known["block"].isin(sets)], "step")
    starts = means[means["block"].isin(sets) & (means["step"] == 0)].groupby("block")["value"].mean()
    if len(starts):
        axis.plot([0] * len(starts), starts, ".", color="black", markersize=5, clip_on=False)
        link = {"arrowstyle": "-", "linewidth": 0.3, "shrinkA": 0}
        place = {"xytext": (9, -14), "textcoords": "offset points", "va": "center"}
        axis.annotate("before", (0, starts.min()), **place, fontsize=5, arrowprops=link)
    axis.set(xlim=(0, None), ylim=(0, max(0.8, means["value"].max())), xlabel="Batch", ylabel="MTEB score")
    axis.spines["bottom"].set_bounds(0, means["step"].max())
    figures.percent_axis(axis.yaxis)
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=5, handlelength=1.2)
    figures.save(figure, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
