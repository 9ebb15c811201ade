"""Draw accuracy by layer, before and after fine-tuning.

Writes a figure with one panel per corpus: a line per model through the means over seeds, a band from the lowest to the
highest seed, and a dotted line for models without layers (bags of words).
"""

from selfembed.jobs import command_line, options
from selfembed.scores import measures, tables
from selfembed.settings.figures import LayersFigure


def main(argv: list[str]) -> None:
    parser = command_line.parser_of_figure(__doc__)
    command_line.add_colors(parser)
    options.add(parser, LayersFigure, keep=("pooling", "score", "free_y"))
    measures.add_argument(parser)
    arguments = parser.parse_args(argv)
    from selfembed.drawing import figures, panels

    scores = figures.read_table(arguments.table, pooling=[arguments.pooling, "none"], score=[arguments.score])
    scores = tables.one_number_per(["label", "corpus", "layer"], scores)
    published = figures.read_published(arguments.published, scores)
    labels, colors = figures.labels_and_colors(scores, arguments.colors)
    corpora = list(dict.fromkeys(scores["corpus"]))
    figure, axes = figures.new_figure(3.8 + 6.2 * len(corpora), 5.6, len(corpora), share_y=not arguments.free_y)
    for place, (axis, corpus) in enumerate(zip(axes, corpora, strict=True)):
        draw_panel(axis, scores[scores["corpus"] == corpus], labels, colors)
        shown = published[(published["corpus"] == corpus) & (published["last_layer"] > 0)]
        panels.mark_published(axis, shown, "layer")
        if len(corpora) > 1:
            panels.letter(axis, "abcdefghij"[place % 10], -0.12)
            axis.set_title(corpus)
        axis.set_xlabel("Layer")
        axis.set_ylabel("")
        axis.xaxis.get_major_locator().set_params(integer=True)  # ty: ignore[unknown-argument]
        if axis is not axes[-1] and axis.get_legend():
            axis.get_legend().remove()
        figures.percent_axis(axis.yaxis)
    axes[0].set_ylabel(measures.heading(scores["score"], arguments.measures))
    axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title=None)
    figures.save(figure, arguments.output)


def draw_panel(axis, scores, labels: list[str], colors: dict) -> None:
    """Draw a line per label."""
    import seaborn

    from selfembed.drawing import panels

    with_layers = scores[scores["last_layer"] > 0]
    drawn = [label for label in labels if label in set(with_layers["label"])]
    seaborn.lineplot(
        with_layers,
        x="layer",
        y="value",
        hue="label",
        hue_order=drawn,
        palette=colors,
        errorbar=("pi", 100),
        marker="o",
        markersize=3,
        markeredgewidth=0,
        err_kws={"linewidth": 0},
        ax=axis,
    )
    panels.mark_diverged(axis, with_layers.assign(series=with_layers["label"]), "layer", colors)
    for label in labels:
        if label not in drawn:
            value = scores.loc[scores["label"] == label, "value"].mean()
            axis.axhline(value, color=colors[label], linestyle=":", label=label)


if __name__ == "__main__":
    command_line.run(main)
