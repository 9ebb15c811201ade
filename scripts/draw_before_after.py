"""Draw an arrow for every encoder, from its score as it came (dot) to its score after fine-tuning (triangle).

Reads the table of an experiment in which encoders stand with and without a recipe. Writes a figure; brackets gather
groups of encoders.
"""

from selfembed.jobs import command_line, options
from selfembed.scores import measures
from selfembed.settings.figures import BeforeAfterFigure


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "table")
    command_line.add_inputs(parser, "published", required=False)
    command_line.add_images(parser)
    options.add(parser, BeforeAfterFigure, keep=("pooling", "score"))
    measures.add_argument(parser)
    arguments = parser.parse_args(argv)
    from selfembed.drawing import figures, panels
    from selfembed.errors import InputError
    from selfembed.scores import tables

    scores = figures.read_table(arguments.table, pooling=[arguments.pooling], score=[arguments.score])
    scores = tables.last_layers(scores)
    published = figures.read_published(arguments.published, scores)
    published = tables.last_layers(published)
    before, after = (
        tables.one_number_per(["encoder"], part)
        for part in (scores[scores["recipe"].isna()], scores[scores["recipe"].notna()])
    )
    encoders = [name for name in dict.fromkeys(before["encoder"]) if name in set(after["encoder"])]
    groups = before.drop_duplicates("encoder").set_index("encoder")["group"].fillna("")
    encoders.sort(key=lambda name: list(dict.fromkeys(groups)).index(groups[name]))
    if not encoders:
        raise InputError(f"{arguments.table}: no encoder appears both with and without a recipe; nothing to draw")
    figure, (axis,) = figures.new_figure(max(5.0, 2.2 + 0.55 * len(encoders)), 7.6)
    for place, encoder in enumerate(encoders):
        low, high = (part.loc[part["encoder"] == encoder, "value"] for part in (before, after))
        color = figures.DEFAULT_COLORS[1 if high.mean() >= low.mean() else 0]
        ends = after[after["encoder"] == encoder].assign(place=place)
        panels.mark_diverged(axis, ends, "place", dict.fromkeys(ends["series"], color))
        axis.plot([place] * 2, [low.mean(), high.mean()], color=color, linewidth=0.8, zorder=1)
        axis.plot([place] * len(low), low, ".", color=color, markersize=5)
        marker = "^" if high.mean() >= low.mean() else "v"
        axis.plot([place], [high.mean()], marker, color=color, markersize=3.5)
        axis.plot([place] * 2, [high.min(), high.max()], color=color, linewidth=2.2, alpha=0.3, solid_capstyle="butt")
        known = published.loc[published["encoder"] == encoder, "value"]
        axis.plot([place] * len(known), known, **panels.PUBLISHED)
    names = before.drop_duplicates("encoder").set_index("encoder")
    axis.set_xticks(range(len(encoders)), names.loc[encoders, "series"], rotation=90)
    axis.set_ylabel(measures.heading(scores["score"], measures.read(arguments.measures)))
    axis.set_xlim(-0.6, len(encoders) - 0.4)
    figures.percent_axis(axis.yaxis)
    bracket_groups(axis, groups[encoders].tolist())
    figures.save(figure, arguments.output)


def bracket_groups(axis, groups: list[str]) -> None:
    """A line and a name above every run of encoders of the same group."""
    above = axis.get_xaxis_transform()
    for name in filter(None, dict.fromkeys(groups)):
        places = [place for place, group in enumerate(groups) if group == name]
        axis.plot(
            [places[0] - 0.3, places[-1] + 0.3],
            [1.02, 1.02],
            transform=above,
            color="black",
            linewidth=0.5,
            clip_on=False,
        )
        middle = (places[0] + places[-1]) / 2
        axis.text(middle, 1.03, name, transform=above, ha="center", va="bottom", fontsize=6)


if __name__ == "__main__":
    command_line.run(main)
