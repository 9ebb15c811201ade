"""Draw what depth does: accuracy by the number of unfrozen layers (a), by layer (b), and MTEB by layer (c).

Reads the tables of up to three experiments. Writes a figure; a panel whose table has no rows is left out. (Figure 4 of
the paper.)
"""

from selfembed.jobs import command_line
from selfembed.scores import measures

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
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    for role, what in (
        ("freezing", "sweep of unfrozen layers"),
        ("layers", "all layers"),
        ("benchmark", "MTEB by layer"),
    ):
        described = {role: f"table of the experiment: {what} (CSV)", f"published_{role}": "published numbers (CSV)"}
        command_line.add_inputs(parser, required=False, **described)
    command_line.add_images(parser)
    measures.add_argument(parser)
    arguments = parser.parse_args(argv)
    from selfembed.drawing import figures, panels
    from selfembed.errors import InputError
    from selfembed.scores import tables

    found = {role: getattr(arguments, role) for role in ("freezing", "layers", "benchmark")}
    found = {role: path for role, path in found.items() if path and len(tables.read(path))}
    if not found:
        raise InputError("all tables are empty; nothing to draw")
    figure, axes = figures.new_figure(2.6 + 4.8 * len(found), 4.6, len(found))
    if {"freezing", "layers"} <= set(found):
        axes[0].sharey(axes[1])
    numbers = measures.read(arguments.measures)
    tables_of = {role: figures.read_table(path, pooling=["mean"]) for role, path in found.items()}
    names = dict.fromkeys(name for table in tables_of.values() for name in table["series"])
    colors = figures.label_colors(list(names), PAPER_COLORS)
    for place, (axis, (role, scores)) in enumerate(zip(axes, tables_of.items(), strict=True)):
        published = figures.read_published(getattr(arguments, f"published_{role}"), scores)
        DRAW[role](axis, scores, published, colors, numbers)
        figures.percent_axis(axis.yaxis)
        panels.letter(axis, "abc"[place], -0.14)
    handles = {label: line for axis in axes for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    handles |= {"published": handles.pop("published")} if "published" in handles else {}
    axes[-1].legend(handles.values(), handles, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=6, handlelength=1.5)
    figures.save(figure, arguments.output)


def draw_freezing(axis, scores, published, colors: dict, numbers: dict) -> None:
    """Accuracy by the number of layers that are trained."""
    from matplotlib.ticker import MultipleLocator

    from selfembed.drawing import panels
    from selfembed.scores import tables

    scores, published = (panels.numbers(tables.last_layers(table), "x") for table in (scores, published))
    panels.lines(axis, tables.one_number_per(["series", "x"], scores), "x", colors)
    panels.mark_diverged(axis, scores, "x", colors)
    panels.mark_published(axis, published, "x")
    axis.set(xlabel="Number of unfrozen layers", ylabel=measures.heading(scores["score"], numbers))
    axis.xaxis.set_major_locator(MultipleLocator(2))


def draw_layers(axis, scores, published, colors: dict, numbers: dict) -> None:
    """Accuracy by layer, a line per model."""
    from matplotlib.ticker import MultipleLocator

    from selfembed.drawing import panels
    from selfembed.scores import tables

    panels.lines(axis, tables.one_number_per(["series", "layer"], scores), "layer", colors, markersize=3)
    panels.mark_diverged(axis, scores, "layer", colors)
    panels.mark_published(axis, published, "layer")
    axis.set(xlabel="Layer number", ylabel=measures.heading(scores["score"], numbers))
    axis.xaxis.set_major_locator(MultipleLocator(2))


def draw_benchmark(axis, scores, published, colors: dict, numbers: dict) -> None:
    """Mean over MTEB's blocks by layer, a line per model."""
    from matplotlib.ticker import MultipleLocator

    from selfembed.drawing import panels
    from selfembed.evidence import blocks
    from selfembed.scores import tables

    scores = tables.one_number_per(["series", "corpus", "layer"], scores)
    means, known, sets = blocks.block_means(scores, published, ["series", "layer", "seed"])
    # There is room for one: of those that were published, or else of all, the mean of the most blocks.
    shown = [name for name in sets if name in set(known["block"])] or sets
    means, known = (table[table["block"] == shown[-1]] for table in (means, known))
    panels.lines(axis, means, "layer", colors, markersize=3)
    panels.mark_published(axis, known, "layer")
    axis.set(xlabel="Layer number", ylabel=f"MTEB,\n{shown[-1]}")
    axis.xaxis.set_major_locator(MultipleLocator(2))


DRAW = {"freezing": draw_freezing, "layers": draw_layers, "benchmark": draw_benchmark}

if __name__ == "__main__":
    command_line.run(main)
