"""Describe a corpus: number of texts and classes, lengths of texts, sizes of classes.

Writes a CSV table with one row, and a CSV table with one row per class, largest first. Writes nothing if the corpus is
not as expected.
"""

import pandas as pd

from selfembed.errors import InputError
from selfembed.jobs import command_line, options
from selfembed.jobs.records import write_table
from selfembed.scores import scoring
from selfembed.settings.corpora import Expected
from selfembed.settings.scores import Split
from selfembed.texts.corpora import check_expected, read_corpus


def describe(corpus: pd.DataFrame, name: str, parts: Split) -> pd.DataFrame:
    """Return the row of a corpus; lengths in characters, standard deviation with n - 1."""
    lengths = corpus["text"].str.len()
    labelled = corpus["label"].notna().to_numpy()
    try:
        test_size = len(scoring.labelled_split(labelled, **parts.model_dump())[1])
    except InputError:  # too few labels for a score, but not for a description
        test_size = 0
    row = {
        "corpus": name,
        "texts": len(corpus),
        "labelled": int(labelled.sum()),
        "classes": corpus["label"].nunique(),
        "mean_length": lengths.mean(),
        "std_length": lengths.std(),
        "knn_test_size": test_size,
    }
    return pd.DataFrame([row])


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus")
    options.add(parser, Split, "parts")
    options.add(parser, Expected, "expected", prefix="expect-", optional=True)
    command_line.add_outputs(parser, output="CSV file", classes="CSV file with the class sizes")
    arguments = parser.parse_args(argv)
    name = arguments.corpus.stem
    corpus = read_corpus(arguments.corpus)
    check_expected(corpus, name, arguments.expected)
    sizes = corpus["label"].value_counts().rename_axis("label").reset_index(name="texts")
    sizes.insert(0, "corpus", name)
    write_table(describe(corpus, name, arguments.parts), arguments.output)
    write_table(sizes.sort_values(["texts", "label"], ascending=[False, True]), arguments.classes)


if __name__ == "__main__":
    command_line.run(main)
