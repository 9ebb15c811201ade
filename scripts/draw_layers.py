"""Draw accuracy by layer, before and after fine-tuning.

Reads the table of an experiment. Writes a figure, one panel per corpus: a line per model through the means over seeds, a
band from the lowest to the highest seed, and a dotted line for models without layers (bags of words).
"""

from pathlib import Path

from selfembed import command_line
from selfembed.command_line import existing


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--table", type=existing, required=True, help="table of the experiment (CSV)")
    parser.add_argument("--pooling", default="mean", help="pooling of the encoders")
    parser.add_argument("--colors", nargs="+", default=[], help="colours as label=#rrggbb")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="image files to write")
    arguments = parser.parse_args(argv)
    from selfembed import figures

    scores = figures.read_table(arguments.table, pooling=[arguments.pooling, "none"])
    labels = list(dict.fromkeys(scores["label"]))
    colors = figures.label_colors(labels, figures.chosen_colors(arguments.colors))
    corpora = list(dict.fromkeys(scores["corpus"]))
    figure, axes = figures.new_figure(3.8 + 6.2 * len(corpora), 5.6, len(corpora), share_y=True)
    for axis, corpus in zip(axes, corpora, strict=True):
        draw_panel(axis, scores[scores["corpus"] == corpus], labels, colors)
        if len(corpora) > 1:
            axis.set_title(corpus)
        axis.set_xlabel("Layer")
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_ylabel("kNN accuracy")
    figures.percent_axis(axes[0].yaxis)
    axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    figures.save(figure, arguments.output)


def draw_panel(axis, scores, labels: list[str], colors: dict) -> None:
    """One line per label."""
    for label in labels:
        layers = scores[scores["label"] == label].groupby("layer")["value"].agg(["mean", "min", "max"])
        if layers.empty:
            continue
        if len(layers) == 1:
            axis.axhline(layers["mean"].iloc[0], color=colors[label], linestyle=":", label=label)
            continue
        axis.plot(layers.index, layers["mean"], marker="o", markersize=2.5, color=colors[label], label=label)
        axis.fill_between(layers.index, layers["min"], layers["max"], color=colors[label], alpha=0.2, linewidth=0)


if __name__ == "__main__":
    command_line.run(main)
