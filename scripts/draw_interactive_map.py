"""Write an HTML page with maps of a corpus from several models, and its texts.

The page works offline. Texts are coloured by label, if any, by cluster, and by further columns of their file. Models
whose runs diverged are omitted.
"""

from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import existing, log
from selfembed.jobs.records import write_text
from selfembed.settings.corpora import Corpus, FileSource
from selfembed.settings.figures import InteractiveMapFigure
from selfembed.texts.corpora import COLOR, kept_rows, read_corpus, read_source


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--maps", type=existing, nargs="+", required=True, help="maps of the corpus (Parquet)")
    parser.add_argument("--models", nargs="+", required=True, help="name of the model of each map")
    command_line.add_inputs(parser, "corpus")
    parser.add_argument(
        "--clusters",
        type=existing,
        nargs=2,
        required=True,
        help="clusters of the last model (Parquet) and their names (CSV)",
    )
    parser.add_argument(
        "--neighbors", type=existing, nargs="+", required=True, help="nearest texts by each model (Parquet)"
    )
    parser.add_argument("--title", required=True, help="heading")
    command_line.add_outputs(parser, output="HTML file")
    options.add(parser, InteractiveMapFigure, keep=("points", "characters"))
    command_line.add_inputs(parser, required=False, source="file of the texts, which has the columns to colour by")
    options.add(parser, FileSource, keep=("text", "id", "format", "encoding", "separator", "colors"))
    options.add(parser, Corpus, keep=("minimum_length", "deduplicate"))
    arguments = parser.parse_args(argv)
    if not len(arguments.maps) == len(arguments.neighbors) == len(set(arguments.models)) == len(arguments.models):
        raise InputError(
            f"--models: {len(arguments.models)} names for {len(arguments.maps)} maps and "
            f"{len(arguments.neighbors)} tables of neighbours; expected: a name for each, no duplicates"
        )
    import numpy as np

    from selfembed.maps.rows import names_of_clusters, read_rows
    from selfembed.maps.sampling import random_rows
    from selfembed.pages import interactive_map
    from selfembed.pages.interactive_map import Coloring

    corpus = read_corpus(arguments.corpus)
    maps = {
        name: read_rows(path, corpus["id"], ["x", "y"]).to_numpy()
        for name, path in zip(arguments.models, arguments.maps, strict=True)
    }
    diverged = [name for name, positions in maps.items() if np.isnan(positions).all()]
    maps = {name: positions for name, positions in maps.items() if name not in diverged}
    if diverged:
        log.warning("omitted because their runs diverged: %s", ", ".join(diverged))
    if not maps:
        raise InputError("--maps: all runs diverged; expected: a map of at least one model")
    rows = random_rows(len(corpus), arguments.points)
    neighbors = {
        name: np.stack(read_rows(path, corpus["id"].iloc[rows], ["neighbors"])["neighbors"])
        for name, path in zip(arguments.models, arguments.neighbors, strict=True)
        if name in maps
    }
    numbers, names = arguments.clusters
    clusters = names_of_clusters(read_rows(numbers, corpus["id"], ["cluster"])["cluster"], names)
    note = f"Groups of similar texts, found in the embeddings of {arguments.models[-1]} and named by their own words."
    colorings = [Coloring("Cluster", clusters, note, on_map=True)]
    if corpus["label"].notna().any():
        colorings.insert(0, Coloring("Label", corpus["label"]))
    if arguments.source:
        cells = read_colors(arguments, corpus["id"])
        colorings.extend(interactive_map.column_coloring(name, cells[name]) for name in cells)
    page = interactive_map.page(
        arguments.title, corpus, maps, neighbors, colorings, rows=rows, characters=arguments.characters
    )
    write_text(page, arguments.output)
    log.info("%d texts, %d maps, %.1f MB", len(rows), len(maps), arguments.output.stat().st_size / 1e6)


def read_colors(arguments, ids):
    """Read the columns to colour by, for the texts with the given ids, in their order.

    Raises InputError if a text or a column is not in the file.
    """
    columns = {name: getattr(arguments, name) for name in ("text", "id", "format", "encoding", "separator", "colors")}
    table = read_source(arguments.source, **columns)
    texts, _ = kept_rows(table, arguments.minimum_length, arguments.deduplicate)
    cells = table.loc[texts.index].filter(like=COLOR).rename(columns=lambda name: name.removeprefix(COLOR))
    cells.index = texts["id"]
    if missing := set(ids) - set(cells.index):
        raise InputError(
            f"{arguments.source}: text '{min(missing)}' of the corpus is missing; expected: the file of the corpus"
        )
    return cells.loc[ids]


if __name__ == "__main__":
    command_line.run(main)
