"""Draw the contrastive loss over the optimiser steps of every run.

Reads the loss table of an experiment. Writes a figure: a thin line per run, and a thick one, smoothed over about a
twentieth of the run, for the mean of the runs with the same label. Short last batches are left out, since the loss
grows with the number of negatives.
"""

from pathlib import Path

from selfembed import command_line
from selfembed.command_line import existing


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--table", type=existing, required=True, help="loss table of the experiment (CSV)")
    parser.add_argument("--colors", nargs="+", default=[], help="colours as label=#rrggbb")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="image files to write")
    arguments = parser.parse_args(argv)
    from selfembed import figures

    losses = figures.read_table(arguments.table)
    losses = losses[losses["batch_size"] == losses["batch_size"].max()]
    labels = list(dict.fromkeys(losses["label"]))
    colors = figures.label_colors(labels, figures.chosen_colors(arguments.colors))
    figure, (axis,) = figures.new_figure(9, 5.6)
    for label in labels:
        runs = losses[losses["label"] == label].pivot_table(index="step", columns="model", values="loss")
        window = max(1, len(runs) // 20)
        smoothed = runs.mean(axis=1).rolling(window, min_periods=1, center=True).mean()
        axis.plot(runs.index, runs, color=colors[label], linewidth=0.4, alpha=0.5)
        axis.plot(smoothed.index, smoothed, color=colors[label], label=label)
    axis.set_xlabel("Optimiser step")
    axis.set_ylabel("Contrastive loss")
    axis.set_xlim(left=0)
    axis.set_ylim(bottom=0)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend()
    figures.save(figure, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
