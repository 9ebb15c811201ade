"""Draw the class sizes of corpora, largest first, one panel per corpus."""

from selfembed.errors import InputError
from selfembed.jobs import command_line
from selfembed.jobs.command_line import existing

NAMED = 45  # with more classes, their names do not fit


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--classes", type=existing, nargs="+", required=True, help="class sizes (CSV)")
    command_line.add_images(parser)
    arguments = parser.parse_args(argv)
    import pandas as pd

    from selfembed.drawing import figures

    corpora = [pd.read_csv(path, keep_default_na=False) for path in arguments.classes]
    for path, sizes in zip(arguments.classes, corpora, strict=True):
        if sizes.empty:
            raise InputError(f"{path}: no classes; expected: a corpus with labels")
    figure, axes = figures.new_figure(16, 0.8 + 4.6 * len(corpora), len(corpora), rows=len(corpora))
    for axis, sizes in zip(axes, corpora, strict=True):
        axis.bar(range(len(sizes)), sizes["texts"], color="#4c72b0", width=0.8 if len(sizes) <= NAMED else 1.0)
        axis.set_title(f"{sizes['corpus'].iloc[0]}: {sizes['texts'].sum():,} texts in {len(sizes)} classes")
        axis.set_ylabel("Texts")
        axis.set_xlim(-0.8, len(sizes) - 0.2)
        if len(sizes) <= NAMED:
            axis.set_xticks(range(len(sizes)), [str(name)[:32] for name in sizes["label"]], rotation=90, fontsize=5)
        else:
            axis.set_xlabel("Class, by size")
    figures.save(figure, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
