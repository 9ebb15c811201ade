"""Draw t-SNE maps, a row per model and a column per corpus, coloured by class (Figure 2 of the paper).

The number in a corner is the accuracy of the embeddings (not of the map), averaged over seeds. A corpus without labels
is coloured by the clusters of the last model, whose map shows their names.
"""

from itertools import product
from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.scores import tables
from selfembed.settings.figures import MapsFigure


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, maps="maps of the experiment (Parquet)")
    command_line.add_inputs(parser, required=False, table="table of the experiment (CSV); needed to show a score")
    what = "clusters of a corpus without labels (Parquet) and their names (CSV)"
    command_line.add_entries(parser, ["corpus"], what, required=False)
    command_line.add_images(parser)
    options.add(parser, MapsFigure, keep=("pooling", "score"))
    arguments = parser.parse_args(argv)
    if arguments.score and arguments.table is None:
        raise InputError("--table: missing; expected: a table with the score, or --no-score")
    from selfembed.drawing import figures

    maps = tables.read_maps(arguments.maps, "series", "corpus")
    clusters = {words["corpus"]: cluster_names(*paths) for words, paths in arguments.entry}
    for corpus, names in clusters.items():
        rows = maps["corpus"] == corpus
        maps.loc[rows, "label"] = maps.loc[rows, "id"].map(names)
    accuracy = corner_scores(arguments.table, arguments.pooling, arguments.score) if arguments.score else {}
    rows, columns = (list(dict.fromkeys(maps[name])) for name in ("series", "corpus"))
    width, height = 1 + 2.8 * len(columns), 0.6 + 2.8 * len(rows)
    figure, axes = figures.new_figure(width, height, len(rows) * len(columns), rows=len(rows))
    palettes = {
        corpus: figures.palette(sorted(maps.loc[maps["corpus"] == corpus, "label"].dropna().unique()))
        for corpus in columns
    }
    for axis, (series, corpus) in zip(axes, product(rows, columns), strict=True):
        points = maps[(maps["series"] == series) & (maps["corpus"] == corpus)]
        draw_map(axis, points, palettes[corpus])
        if len(points) and points["x"].isna().all():
            axis.text(0.5, 0.5, "diverged", transform=axis.transAxes, ha="center", va="center", fontsize=6)
        if corpus in clusters and series == rows[-1]:  # clusters of this model; in other maps names would overlap
            write_names(axis, points)
        if (series, corpus) in accuracy:
            axis.text(0, 0.02, f"{100 * accuracy[series, corpus]:.1f}%", transform=axis.transAxes, fontsize=6)
        if series == rows[0]:
            axis.set_title(corpus)
        if corpus == columns[0]:
            axis.text(-0.08, 0.5, series, transform=axis.transAxes, rotation=90, ha="right", va="center", fontsize=8)
    figures.save(figure, arguments.output)


def corner_scores(table: Path, pooling: str, score: str) -> dict[tuple[str, str], float]:
    """Return the mean over seeds of a last-layer score, by series and corpus."""
    from selfembed.drawing import figures

    scores = figures.read_table(table, pooling=[pooling, "none"], score=[score])
    scores = tables.one_number_per(["series", "corpus"], tables.last_layers(scores))
    return scores.groupby(["series", "corpus"])["value"].mean().dropna().to_dict()


def cluster_names(clusters: Path, names: Path) -> dict[str, str]:
    """Return the cluster name of each text id."""
    import pandas as pd

    from selfembed.maps.rows import names_of_clusters

    return names_of_clusters(pd.read_parquet(clusters).set_index("id")["cluster"], names).to_dict()


def draw_map(axis, points, colors: dict[str, object]) -> None:
    """Draw points in the colours of their labels, above grey ones without a label."""
    style = {"linewidths": 0, "rasterized": True, "s": max(0.3, min(6, 6000 / max(len(points), 1)))}
    labelled = points[points["label"].notna()]
    rest = points[points["label"].isna()]
    axis.scatter(rest["x"], rest["y"], color="lightgrey", alpha=0.6, **style)
    axis.scatter(labelled["x"], labelled["y"], c=[colors[label] for label in labelled["label"]], alpha=0.7, **style)
    axis.set_aspect("equal", "datalim")
    axis.axis("off")


def write_names(axis, points) -> None:
    """Write the first word of each cluster name at the median of its points."""
    from matplotlib.patheffects import withStroke

    for name, place in points.groupby("label")[["x", "y"]].median().iterrows():
        outline = [withStroke(linewidth=1, foreground="white")]
        axis.text(*place, name.split(", ")[0], fontsize=3, ha="center", va="center", path_effects=outline)


if __name__ == "__main__":
    command_line.run(main)
