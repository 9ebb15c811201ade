"""Draw four sweeps: temperature (a), sentences per pack (b), fraction of masked tokens (c), learning rate (d).

Each model is scored with its training pooling. Writes a figure; diverged runs are gaps in lines and triangles on the
lower axis. (Figure S2 of the paper.)
"""

import numpy as np

from selfembed.jobs import command_line
from selfembed.scores import measures, tables

# Experiment: axis label, logarithmic axis.
PANELS = {
    "temperature": ("Temperature", True),
    "sentences": ("Number of sentences", False),
    "masking": ("Fraction of masked tokens", False),
    "learning_rate": ("Learning rate", True),
}


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    for name, (what, _) in PANELS.items():
        command_line.add_inputs(parser, **{name: f"table of the sweep: {what} (CSV)"})
        command_line.add_inputs(parser, required=False, **{f"published_{name}": "published numbers (CSV)"})
    command_line.add_images(parser)
    measures.add_argument(parser)
    arguments = parser.parse_args(argv)
    from selfembed.drawing import figures, panels

    figure, axes = figures.new_figure(9.15, 9, len(PANELS), rows=2, share_y=True)
    highest = 0
    for place, (axis, (name, (what, logarithmic))) in enumerate(zip(axes, PANELS.items(), strict=True)):
        scores = figures.read_table(getattr(arguments, name))
        scores = tables.one_number_per(["series", "x"], panels.numbers(tables.last_layers(scores), "x"))
        published = figures.read_published(getattr(arguments, f"published_{name}"), scores)
        names = list(dict.fromkeys(scores["series"]))
        solid = [name for name in names if "Dropout" not in name]
        colors = dict.fromkeys(names, figures.DEFAULT_COLORS[0])
        colors |= dict(zip(solid, figures.DEFAULT_COLORS, strict=False))
        for series in names:
            shown = scores[scores["series"] == series]
            panels.lines(axis, shown, "x", colors, linestyle="-" if series in solid else "--")
        diverged = panels.mark_diverged(axis, scores, "x", colors)
        panels.mark_published(axis, panels.numbers(tables.last_layers(published), "x"), "x")
        if logarithmic:
            axis.set_xscale("log")
            axis.xaxis.set_major_formatter(lambda value, _: short(value))
            axis.xaxis.set_minor_formatter("")
            axis.set_xticks(decades(scores["x"]))
        elif scores["x"].max() > 1:
            axis.xaxis.get_major_locator().set_params(integer=True)  # ty: ignore[unknown-argument]
        axis.set_xlabel(what)
        highest = max(highest, scores["value"].max())
        figures.percent_axis(axis.yaxis)
        panels.letter(axis, "abcd"[place], -0.1)
        if place in (0, 3) or diverged:
            axis.legend(fontsize=5, handlelength=1.5, loc="lower center" if place == 0 else "lower left")
    if 0.5 < highest <= 0.6:  # the range of the paper; diverged models are below it
        axes[0].set_ylim(0.35, 0.6)
    for axis in axes[::2]:
        axis.set_ylabel(measures.heading(scores["score"], arguments.measures))
    figures.save(figure, arguments.output)


def short(value: float) -> str:
    """Format a tick label: 0.05, 1e-5."""
    return f"{value:g}" if value >= 1e-3 else f"{value:.0e}".replace("e-0", "e-")


def decades(values) -> list[float]:
    """Return the values that are powers of ten times the smallest."""
    values = np.unique(values)
    exponents = np.log10(values / values[0])
    return values[np.abs(exponents - exponents.round()) < 1e-6].tolist()


if __name__ == "__main__":
    command_line.run(main)
