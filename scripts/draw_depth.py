"""Draw scores by number of unfrozen layers (a) and by layer (b), MTEB scores by layer (c) (Figure 4 of the paper).

Reads the tables of up to three experiments. Writes a figure without panels for missing and empty tables.
"""

from selfembed.errors import InputError
from selfembed.jobs import command_line
from selfembed.scores import measures, tables

# Table: description, column on the horizontal axis, label of the axis.
PANELS = {
    "freezing": ("sweep of unfrozen layers", "x", "Number of unfrozen layers"),
    "layers": ("all layers", "layer", "Layer number"),
    "benchmark": ("MTEB by layer", "layer", "Layer number"),
}
PAPER_COLORS = {
    "Random (Crops)": "grey",
    "Random (Crops, 1 epoch)": "#a0a0a0",
    "Random": "lightgrey",
    "MPNet (Crops)": "#ff7f0e",
    "MPNet (Dropout)": "#1f77b4",
    "MPNet": "#ffbf86",
    "SBERT": "#2ca02c",
}


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    for role, (what, _, _) in PANELS.items():
        described = {role: f"table of the experiment: {what} (CSV)", f"published_{role}": "published numbers (CSV)"}
        command_line.add_inputs(parser, required=False, **described)
    command_line.add_images(parser)
    measures.add_argument(parser)
    arguments = parser.parse_args(argv)
    from matplotlib.ticker import MultipleLocator

    from selfembed.drawing import figures, panels

    paths = {role: getattr(arguments, role) for role in PANELS}
    paths = {role: path for role, path in paths.items() if path and len(tables.read(path))}
    if not paths:
        raise InputError("all tables are empty; nothing to draw")
    figure, axes = figures.new_figure(2.6 + 4.8 * len(paths), 4.6, len(paths))
    if {"freezing", "layers"} <= set(paths):
        axes[0].sharey(axes[1])
    tables_of = {role: figures.read_table(path, pooling=["mean"]) for role, path in paths.items()}
    names = dict.fromkeys(name for table in tables_of.values() for name in table["series"])
    colors = figures.label_colors(list(names), PAPER_COLORS)
    for letter, axis, (role, scores) in zip("abc", axes, tables_of.items(), strict=False):
        published = figures.read_published(getattr(arguments, f"published_{role}"), scores)
        _, x, x_label = PANELS[role]
        if role == "freezing":
            scores, published = (panels.numbers(tables.last_layers(table), x) for table in (scores, published))
        if role == "benchmark":
            scores, published, y_label = benchmark_means(scores, published)
        else:
            y_label = measures.heading(tables.one_number_per(["series", x], scores)["score"], arguments.measures)
        panels.lines(axis, scores, x, colors, markersize=4 if role == "freezing" else 3)
        panels.mark_diverged(axis, scores, x, colors)
        panels.mark_published(axis, published, x)
        axis.set(xlabel=x_label, ylabel=y_label)
        axis.xaxis.set_major_locator(MultipleLocator(2))
        figures.percent_axis(axis.yaxis)
        panels.letter(axis, letter, -0.14)
    handles = {label: line for axis in axes for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    handles |= {"published": handles.pop("published")} if "published" in handles else {}
    axes[-1].legend(handles.values(), handles, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=6, handlelength=1.5)
    figures.save(figure, arguments.output)


def benchmark_means(scores, published):
    """Return means over MTEB's blocks by layer, published ones, and their axis label.

    Of several sets of blocks, only the largest is used, if possible the largest with published means.
    """
    from selfembed.evidence import blocks

    scores = tables.one_number_per(["series", "corpus", "layer"], scores)
    means, known, sets = blocks.block_means(scores, published, ["series", "layer", "seed"])
    name = ([name for name in sets if name in set(known["block"])] or sets)[-1]
    return means[means["block"] == name], known[known["block"] == name], f"MTEB,\n{name}"


if __name__ == "__main__":
    command_line.run(main)
