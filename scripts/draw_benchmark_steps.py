"""Draw MTEB scores over the optimiser steps of runs: a line per block of tasks, a black one for the mean of the blocks.

Reads the table of an experiment with tasks and steps of one model. Writes a figure; the step `final` has no place on
its axis. (Figure 1 of the paper.)
"""

from pathlib import Path

from selfembed import command_line
from selfembed.command_line import existing

BLOCKS = {"clustering": "Clustering", "reranking": "Reranking", "retrieval": "Retrieval", "sts": "STS"}
BLOCKS |= {"classification": "Classification"}
PAPER_COLORS = {"clustering": "#d21820", "reranking": "#1869ff", "retrieval": "#008a00", "sts": "#f36dff"}
PAPER_COLORS |= {"classification": "#8a5a00"}


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--table", type=existing, required=True, help="table of the experiment (CSV)")
    parser.add_argument("--published", type=existing, help="published numbers to mark (CSV)")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="image files to write")
    arguments = parser.parse_args(argv)
    from selfembed import blocks, figures, panels, tables
    from selfembed.errors import InputError

    scores = tables.one_number_per(["corpus", "step"], figures.read_table(arguments.table, score=["mteb"]))
    means = panels.numbers(blocks.block_means(scores, ["series", "step", "seed"]), "step")
    if means.empty:
        raise InputError(f"{arguments.table}: no step has a score of every task; nothing to draw")
    names = [name for name in BLOCKS if name in set(means["block"])]
    names += sorted(set(means["block"]) - {*names, blocks.MEAN})
    colors = figures.palette(names) | PAPER_COLORS | {blocks.MEAN: "black"}
    figure, (axis,) = figures.new_figure(2.5 * 2.54, 1.5 * 2.54)
    for name in [*names, blocks.MEAN]:
        shown = means[means["block"] == name].assign(
            series=BLOCKS.get(name, "Block mean" if name == blocks.MEAN else name)
        )
        style = {"linewidth": 1.0} if name == blocks.MEAN else {"linewidth": 0.6, "alpha": 0.6}
        panels.lines(axis, shown, "step", {shown["series"].iloc[0]: colors[name]}, marker="", **style)
    if arguments.published:
        published = blocks.block_means(figures.read_published(arguments.published, scores), ["series", "step", "seed"])
        published = panels.numbers(published, "step")
        panels.mark_published(axis, published[published["block"] == blocks.MEAN], "step")
    start = means[(means["block"] == blocks.MEAN) & (means["step"] == 0)]["value"]
    if len(start):
        axis.plot(0, start.mean(), ".", color="black", markersize=5, clip_on=False)
        axis.annotate(
            "before",
            (0, start.mean()),
            (4, -2),
            textcoords="offset points",
            fontsize=5,
            va="top",
        )
    last = means["step"].max()
    axis.set(xlim=(0, None), ylim=(0, max(0.8, means["value"].max())), xlabel="Batch", ylabel="MTEB score")
    panels.clip_spines(axis, (0, last))
    figures.percent_axis(axis.yaxis)
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=5, handlelength=1.2)
    figures.save(figure, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
