"""Draw four sweeps: temperature (a), sentences in a pack (b), fraction of masked tokens (c), learning rate (d).

Reads the tables of four experiments; every series is evaluated with the pooling it was trained with. Writes a figure;
lines have gaps, and triangles on the lower axis, where runs diverged.
(Figure S2 of the paper.)
"""

import math

from selfembed.jobs import command_line
from selfembed.scores import measures

# Experiment: axis label, logarithmic axis.
PANELS = {
    "temperature": ("Temperature", True),
    "sentences": ("Number of sentences", False),
    "masking": ("Fraction of masked tokens", False),
    "learning_rate": ("Learning rate", True),
}


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    for name, (what, _) in PANELS.items():
        command_line.add_inputs(parser, **{name: f"table of the sweep: {what} (CSV)"})
        command_line.add_inputs(parser, required=False, **{f"published_{name}": "published numbers (CSV)"})
    command_line.add_images(parser)
    measures.add_argument(parser)
    arguments = parser.parse_args(argv)
    from selfembed.drawing import figures, panels
    from selfembed.scores import tables

    figure, axes = figures.new_figure(9.15, 9, len(PANELS), rows=2, share_y=True)
    highest = 0
    for place, (axis, (name, (what, logarithmic))) in enumerate(zip(axes, PANELS.items(), strict=True)):
        scores = figures.read_table(getattr(arguments, name))
        scores = tables.one_number_per(["series", "x"], panels.numbers(tables.last_layers(scores), "x"))
        published = figures.read_published(getattr(arguments, f"published_{name}"), scores)
        names = list(dict.fromkeys(scores["series"]))
        colors = dict(zip((name for name in names if "Dropout" not in name), figures.DEFAULT_COLORS, strict=False))
        for series in names:
            shown = scores[scores["series"] == series]
            linestyle = "-" if series in colors else "--"
            panels.lines(axis, shown, "x", {series: colors.get(series, figures.DEFAULT_COLORS[0])}, linestyle=linestyle)
        plain = dict.fromkeys(names, figures.DEFAULT_COLORS[0])
        diverged = panels.mark_diverged(axis, scores, "x", plain | colors)
        panels.mark_published(axis, panels.numbers(tables.last_layers(published), "x"), "x")
        if logarithmic:
            axis.set_xscale("log")
            axis.xaxis.set_major_formatter(lambda value, _: short(value))
            axis.xaxis.set_minor_formatter("")
            axis.set_xticks(decades(scores["x"]))
        elif scores["x"].max() > 1:
            axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_xlabel(what)
        highest, name_of_score = (
            max(highest, scores["value"].max()),
            measures.heading(scores["score"], measures.read(arguments.measures)),
        )
        figures.percent_axis(axis.yaxis)
        panels.letter(axis, "abcd"[place], -0.1)
        if place in (0, 3) or diverged:
            axis.legend(fontsize=5, handlelength=1.5, loc="lower center" if place == 0 else "lower left")
    if 0.5 < highest <= 0.6:  # the paper's range, the same in all panels; models that broke fall below it
        axes[0].set_ylim(0.35, 0.6)
    for axis in axes[::2]:
        axis.set_ylabel(name_of_score)
    figures.save(figure, arguments.output)


def short(value: float) -> str:
    """A number as a tick label: 0.05, 1e-5."""
    return f"{value:g}" if value >= 1e-3 else f"{value:.0e}".replace("e-0", "e-")


def decades(values) -> list[float]:
    """The values that are powers of ten times the smallest."""
    smallest = min(values)
    ratios = {value: math.log10(value / smallest) for value in values}
    return sorted(value for value, ratio in ratios.items() if abs(ratio - round(ratio)) < 1e-6)


if __name__ == "__main__":
    command_line.run(main)
