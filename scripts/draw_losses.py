"""Draw the contrastive loss of runs over optimiser steps.

Writes a figure with one panel per training corpus: a thin line per run, and a thick line for the mean of the runs with
the same label, smoothed over a twentieth of the run. Incomplete last batches are omitted, because the loss grows with
the number of negatives. Diverged runs end in a triangle on the lower axis.
"""

from selfembed.jobs import command_line


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, table="loss table of the experiment (CSV)")
    command_line.add_colors(parser)
    command_line.add_images(parser)
    arguments = parser.parse_args(argv)
    import numpy as np

    from selfembed.drawing import figures

    losses = figures.read_table(arguments.table)
    losses["loss"] = losses["loss"].where(np.isfinite(losses["loss"]))
    full = losses["batch_size"] == losses.groupby("model")["batch_size"].transform("max")
    losses = losses[full | losses["loss"].isna()]
    labels, colors = figures.labels_and_colors(losses, arguments.colors)
    corpora = list(dict.fromkeys(losses["training_corpus"]))
    figure, axes = figures.new_figure(2 + 7 * len(corpora), 5.6, len(corpora), share_y=True)
    for axis, corpus in zip(axes, corpora, strict=True):
        draw_panel(axis, losses[losses["training_corpus"] == corpus], labels, colors)
        if len(corpora) > 1:
            axis.set_title(corpus)
    axes[0].set_ylabel("Contrastive loss")
    axes[-1].legend()
    figures.save(figure, arguments.output)


def draw_panel(axis, losses, labels: list[str], colors: dict) -> None:
    """Draw a thin line per run and a thick one per label."""
    from selfembed.drawing import panels

    for label in labels:
        runs = losses[losses["label"] == label].pivot_table(index="step", columns="model", values="loss")
        if runs.empty:
            continue
        window = max(1, len(runs) // 20)
        smoothed = runs.mean(axis=1).rolling(window, min_periods=1, center=True).mean()
        axis.plot(runs.index, runs, color=colors[label], linewidth=0.4, alpha=0.5)
        # Losses close to 0 are drawn over the axis.
        axis.plot(smoothed.index, smoothed, color=colors[label], label=label, zorder=3, clip_on=False)
    ends = losses[losses["loss"].isna()].assign(series=losses["label"], value=losses["loss"])
    panels.mark_diverged(axis, ends, "step", colors)
    axis.set_xlabel("Optimiser step")
    axis.set_xlim(left=0)
    axis.set_ylim(bottom=0)
    axis.xaxis.get_major_locator().set_params(integer=True)


if __name__ == "__main__":
    command_line.run(main)
