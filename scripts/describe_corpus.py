"""Describe a corpus: how many texts and classes, how long the texts are, how large the classes.

Reads a corpus. Writes a CSV table of one row, and a CSV table with one row per class, largest first.
"""

import math

import pandas as pd

from selfembed import command_line
from selfembed.command_line import existing
from selfembed.corpora import read_corpus
from selfembed.records import write_table


def describe(corpus: pd.DataFrame, name: str, test_fraction: float) -> pd.DataFrame:
    """Row of a table of corpora; lengths in characters, standard deviation with n - 1."""
    lengths = corpus["text"].str.len()
    labelled = int(corpus["label"].notna().sum())
    row = {
        "corpus": name,
        "texts": len(corpus),
        "labelled": labelled,
        "classes": corpus["label"].nunique(),
        "mean_length": lengths.mean(),
        "std_length": lengths.std(),
        "knn_test_size": math.ceil(test_fraction * labelled),
    }
    return pd.DataFrame([row])


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--corpus", type=existing, required=True, help="prepared corpus (Parquet)")
    parser.add_argument("--test-fraction", type=float, default=0.1, help="part of the labelled texts that is tested")
    parser.add_argument("--output", required=True, help="CSV file to write")
    parser.add_argument("--classes", required=True, help="CSV file to write the class sizes to")
    arguments = parser.parse_args(argv)
    name = arguments.corpus.stem
    corpus = read_corpus(arguments.corpus)
    sizes = corpus["label"].value_counts().rename_axis("label").reset_index(name="texts")
    sizes.insert(0, "corpus", name)
    write_table(describe(corpus, name, arguments.test_fraction), arguments.output)
    write_table(sizes.sort_values(["texts", "label"], ascending=[False, True]), arguments.classes)


if __name__ == "__main__":
    command_line.run(main)
