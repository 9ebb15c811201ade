"""Draw the last-layer scores of models: each seed and their mean.

Writes a figure with one panel per corpus; crosses are published numbers.
"""

from selfembed.jobs import command_line, options
from selfembed.scores import measures, tables
from selfembed.settings.figures import ComparisonFigure


def main(argv: list[str]) -> None:
    parser = command_line.parser_of_figure(__doc__)
    command_line.add_colors(parser)
    options.add(parser, ComparisonFigure, keep=("pooling", "score"))
    measures.add_argument(parser)
    arguments = parser.parse_args(argv)
    from selfembed.drawing import figures, panels

    scores = figures.read_table(arguments.table, pooling=[arguments.pooling, "none"], score=[arguments.score])
    scores = tables.one_number_per(["label", "corpus"], tables.last_layers(scores))
    published = tables.last_layers(figures.read_published(arguments.published, scores))
    labels, colors = figures.labels_and_colors(scores, arguments.colors)
    corpora = list(dict.fromkeys(scores["corpus"]))
    width, height = 3.4 + 5.4 * len(corpora), 1.6 + 0.62 * len(labels)
    figure, axes = figures.new_figure(width, height, len(corpora), share_y=True)
    for axis, corpus in zip(axes, corpora, strict=True):
        draw_panel(axis, scores[scores["corpus"] == corpus], labels, colors)
        known = published[published["corpus"] == corpus]
        axis.plot(known["value"], [labels.index(label) for label in known["label"]], **panels.PUBLISHED)
        if len(corpora) > 1:
            axis.set_title(corpus)
        axis.set_xlabel(measures.heading(scores["score"], arguments.measures))
        figures.percent_axis(axis.xaxis)
    figures.save(figure, arguments.output)


def draw_panel(axis, scores, labels: list[str], colors: dict) -> None:
    """Draw a row per label: a dot per finished seed, a bar and a number at the mean, a line for the spread."""
    import seaborn

    beside = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "fontsize": 6.5}
    beside |= {"bbox": {"facecolor": "white", "linewidth": 0, "pad": 0.5}}
    rows = {"y": "label", "order": labels, "hue": "label", "hue_order": labels, "palette": colors, "legend": False}
    seaborn.stripplot(scores, x="value", **rows, jitter=False, size=3.5, alpha=0.7, linewidth=0, ax=axis, zorder=2)
    for row, label in enumerate(labels):
        every = scores.loc[scores["label"] == label, "value"]
        values = every.dropna()
        axis.axhline(row, color="#e6e6e6", linewidth=0.5, zorder=0)
        if values.empty:
            if len(every):
                axis.annotate("diverged", (0, row), **beside)
            continue
        finished = "" if len(values) == len(every) else f" ({len(values)} of {len(every)} seeds)"
        mean, spread = values.mean(), values.std() if len(values) > 1 else 0
        axis.plot([mean - spread, mean + spread], [row, row], color=colors[label], linewidth=0.8)
        axis.plot([mean] * 2, [row - 0.28, row + 0.28], color=colors[label], linewidth=1.6, zorder=3)
        axis.annotate(f"{100 * mean:.1f}{finished}", (max(values.max(), mean + spread), row), **beside)
    axis.set_xlim(0, 1.15 * scores["value"].max() if scores["value"].notna().any() else 1)
    axis.set_ylabel("")
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)


if __name__ == "__main__":
    command_line.run(main)
