"""Draw an arrow for each encoder, from its score before fine-tuning (dot) to its score after it (triangle).

Reads the table of an experiment that has encoders with and without a recipe. Writes a figure with brackets over groups
of encoders.
"""

from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.scores import measures, tables
from selfembed.settings.figures import BeforeAfterFigure


def main(argv: list[str]) -> None:
    parser = command_line.parser_of_figure(__doc__)
    options.add(parser, BeforeAfterFigure, keep=("pooling", "score"))
    measures.add_argument(parser)
    arguments = parser.parse_args(argv)
    from selfembed.drawing import figures, panels

    scores = figures.read_table(arguments.table, pooling=[arguments.pooling], score=[arguments.score])
    scores = tables.last_layers(scores)
    published = tables.last_layers(figures.read_published(arguments.published, scores))
    before, after = (
        tables.one_number_per(["encoder"], part)
        for part in (scores[scores["recipe"].isna()], scores[scores["recipe"].notna()])
    )
    encoders = [name for name in dict.fromkeys(before["encoder"]) if name in set(after["encoder"])]
    first = before.drop_duplicates("encoder").set_index("encoder")
    groups = first["group"].fillna("")
    encoders.sort(key=lambda name: list(dict.fromkeys(groups)).index(groups[name]))
    if not encoders:
        raise InputError(f"{arguments.table}: no encoder appears both with and without a recipe; nothing to draw")
    figure, (axis,) = figures.new_figure(max(5.0, 2.2 + 0.55 * len(encoders)), 7.6)
    for place, encoder in enumerate(encoders):
        low, high = (part.loc[part["encoder"] == encoder, "value"] for part in (before, after))
        marker, color = (
            ("^", figures.DEFAULT_COLORS[1]) if high.mean() >= low.mean() else ("v", figures.DEFAULT_COLORS[0])
        )
        ends = after[after["encoder"] == encoder].assign(place=place)
        panels.mark_diverged(axis, ends, "place", dict.fromkeys(ends["series"], color))
        axis.plot([place] * 2, [low.mean(), high.mean()], color=color, linewidth=0.8, zorder=1)
        axis.plot([place] * len(low), low, ".", color=color, markersize=5)
        axis.plot([place], [high.mean()], marker, color=color, markersize=3.5)
        axis.plot([place] * 2, [high.min(), high.max()], color=color, linewidth=2.2, alpha=0.3, solid_capstyle="butt")
        known = published.loc[published["encoder"] == encoder, "value"]
        axis.plot([place] * len(known), known, **panels.PUBLISHED)
    axis.set_xticks(range(len(encoders)), first.loc[encoders, "series"], rotation=90)
    axis.set_ylabel(measures.heading(scores["score"], arguments.measures))
    axis.set_xlim(-0.6, len(encoders) - 0.4)
    figures.percent_axis(axis.yaxis)
    bracket_groups(axis, groups[encoders].tolist())
    figures.save(figure, arguments.output)


def bracket_groups(axis, groups: list[str]) -> None:
    """Draw a line and the name of each group above its encoders."""
    above = axis.get_xaxis_transform()
    for name in filter(None, dict.fromkeys(groups)):
        places = [place for place, group in enumerate(groups) if group == name]
        ends = [places[0] - 0.3, places[-1] + 0.3]
        axis.plot(ends, [1.02, 1.02], transform=above, color="black", linewidth=0.5, clip_on=False)
        axis.text((places[0] + places[-1]) / 2, 1.03, name, transform=above, ha="center", va="bottom", fontsize=6)


if __name__ == "__main__":
    command_line.run(main)
