"""Draw accuracy on one corpus over the optimiser steps of runs on several corpora (Figure 3 of the paper).

Writes a figure with a line per training corpus, the early gain from a different corpus (Δ_S), and the remaining gain
from the corpus itself (Δ_D).
"""

from selfembed.jobs import command_line, options
from selfembed.scores import measures, tables
from selfembed.settings.figures import AdaptationFigure


def main(argv: list[str]) -> None:
    parser = command_line.parser_of_figure(__doc__)
    options.add(parser, AdaptationFigure, keep=("pooling", "score", "reference", "shifted", "shift_step"))
    measures.add_argument(parser)
    arguments = parser.parse_args(argv)
    from selfembed.drawing import figures, panels

    scores = figures.read_table(arguments.table, pooling=[arguments.pooling], score=[arguments.score])
    published = panels.numbers(tables.last_layers(figures.read_published(arguments.published, scores)), "step")
    scores = tables.one_number_per(["series", "step"], panels.numbers(tables.last_layers(scores), "step"))
    others = [name for name in dict.fromkeys(scores["series"]) if name != arguments.reference]
    colors = figures.palette(others, chroma_bounds=(30, 90), colorblind_safe=True)
    colors |= dict(zip(others, ["#0c71ff", "#ca2800", "#ff28ba"], strict=False)) | {arguments.reference: "grey"}
    figure, (axis,) = figures.new_figure(2.6 * 2.54, 1.7 * 2.54)
    panels.lines(axis, scores, "step", colors, marker="")
    panels.mark_published(axis, published, "step")
    panels.mark_diverged(axis, scores, "step", colors)
    curves = scores.groupby(["series", "step"])["value"].mean().dropna()
    draw_gains(axis, curves, arguments.reference, arguments.shifted, arguments.shift_step)
    start = scores.loc[scores["step"] == 0, "value"]
    if len(start):
        axis.plot(0, start.mean(), ".", color="grey", markersize=6, clip_on=False)
        axis.annotate("before", (0, start.mean()), (5, 0), textcoords="offset points", fontsize=5, va="center")
    corpus = scores["corpus"].iloc[0]
    name = corpus.upper() if len(corpus) < 6 else f"{corpus}\n"
    heading = measures.heading(scores["score"], arguments.measures)
    axis.set(xlabel="Batch", ylabel=f"{name} {heading}")
    axis.set_xlim(0, 1.14 * scores["step"].max())
    axis.spines["bottom"].set_bounds(0, scores["step"].max())
    figures.percent_axis(axis.yaxis)
    axis.legend(loc="lower right", bbox_to_anchor=(0.9, 0), fontsize=5, handlelength=1.2)
    figures.save(figure, arguments.output)


def draw_gains(axis, curves, reference: str, shifted: str, shift_step: int) -> None:
    """Draw bars for Δ_S and, at the last common step, for Δ_D of every other corpus, largest first."""
    bar = {"color": "black", "linewidth": 0.8, "solid_capstyle": "butt"}
    if {(shifted, 0), (shifted, shift_step)} <= set(curves.index):
        low, high = curves[shifted, 0], curves[shifted, shift_step]
        axis.plot([shift_step] * 2, [low, high], **bar)
        style = {"textcoords": "offset points", "fontsize": 6, "va": "center", "parse_math": True}
        axis.annotate(r"Δ$_S$", (shift_step, (low + high) / 2), (3, 0), **style)
    ends = {name: curve.droplevel(0) for name, curve in curves.groupby(level=0)}
    if reference not in ends or len(ends) < 2:
        return
    step = max(set.intersection(*(set(curve.index) for curve in ends.values())), default=0)
    if step == 0:  # no common step after the start
        return
    others = sorted((name for name in ends if name != reference), key=lambda name: ends[name][step])
    for place, name in enumerate(others):
        low, high = ends[name][step], ends[reference][step]
        axis.plot([step * (1.02 + 0.025 * place)] * 2, [low, high], **bar, clip_on=False)
        label = rf"Δ$_{{D_{len(others) - place}}}$"
        place_of_label = (step * (1.02 + 0.025 * len(others)), low)
        axis.annotate(label, place_of_label, fontsize=5, va="center", parse_math=True, annotation_clip=False)


if __name__ == "__main__":
    command_line.run(main)
