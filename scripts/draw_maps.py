"""Draw t-SNE maps of corpora, a row per model and a column per corpus, coloured by class.

Reads the maps of an experiment and its table of scores. Writes a figure; the number in a corner is the accuracy of the
embeddings (not of the map), the mean over seeds. (Figure 2 of the paper.)
"""

from pathlib import Path

from selfembed import command_line
from selfembed.command_line import existing


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--maps", type=existing, required=True, help="maps of the experiment (Parquet)")
    parser.add_argument("--table", type=existing, required=True, help="table of the experiment (CSV)")
    parser.add_argument("--pooling", default="mean", help="pooling of the encoders")
    parser.add_argument("--score", default="knn", help="score in the corner")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="image files to write")
    arguments = parser.parse_args(argv)
    from selfembed import figures, tables

    maps = tables.read_maps(arguments.maps, "series", "corpus")
    scores = figures.read_table(arguments.table, pooling=[arguments.pooling, "none"], score=[arguments.score])
    scores = tables.one_number_per(["series", "corpus"], tables.last_layers(scores))
    accuracy = scores.groupby(["series", "corpus"])["value"].mean()
    rows, columns = (list(dict.fromkeys(maps[name])) for name in ("series", "corpus"))
    width = 1 + 2.8 * len(columns)
    figure, axes = figures.new_figure(width, 0.6 + 2.8 * len(rows), len(rows) * len(columns), rows=len(rows))
    places = [(series, corpus) for series in rows for corpus in columns]
    palettes = {
        corpus: figures.palette(sorted(maps.loc[maps["corpus"] == corpus, "label"].dropna().unique()))
        for corpus in columns
    }
    for axis, (series, corpus) in zip(axes, places, strict=True):
        points = maps[(maps["series"] == series) & (maps["corpus"] == corpus)]
        draw_map(axis, points, palettes[corpus])
        if (series, corpus) in accuracy.index:
            axis.text(0, 0.02, f"{100 * accuracy[series, corpus]:.1f}%", transform=axis.transAxes, fontsize=6)
        if series == rows[0]:
            axis.set_title(corpus)
        if corpus == columns[0]:
            axis.text(-0.08, 0.5, series, transform=axis.transAxes, rotation=90, ha="right", va="center", fontsize=8)
    figures.save(figure, arguments.output)


def draw_map(axis, points, colors: dict[str, object]) -> None:
    """Grey points without a label below coloured ones."""
    style = {"linewidths": 0, "rasterized": True, "s": max(0.3, min(6, 6000 / max(len(points), 1)))}
    labelled = points[points["label"].notna()]
    rest = points[points["label"].isna()]
    axis.scatter(rest["x"], rest["y"], color="lightgrey", alpha=0.6, **style)
    axis.scatter(labelled["x"], labelled["y"], c=[colors[label] for label in labelled["label"]], alpha=0.7, **style)
    axis.set_aspect("equal", "datalim")
    axis.axis("off")


if __name__ == "__main__":
    command_line.run(main)
