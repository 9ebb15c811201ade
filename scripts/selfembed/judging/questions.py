"""Questions by which a person judges whether a model groups texts better than the encoder that it was made from.

A question shows a text and two others: for each model the nearest text, of its NEAR nearest ones, that is not among
those of the other model. Which one is closer is asked without saying which model chose it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from selfembed.embeddings import embedding
from selfembed.errors import InputError
from selfembed.jobs.command_line import log
from selfembed.jobs.devices import choose_device
from selfembed.judging import compared, sheets
from selfembed.judging.compared import Compared
from selfembed.maps.nearest_texts import nearest_texts
from selfembed.texts import corpora

NEAR = 10  # neighbours that are compared
MOST_TEXTS = 1000  # texts of the sample
SEED = 42  # of the sample, of the order of the questions and of the sides
LONGEST = 600  # characters of a text that are shown


def ask(config: Path, number: int) -> Path:
    """Write questions on the models of a finished study, and the key, into the working directory.

    Returns the path of the questions.

    Raises InputError if the questions exist and have answers, the study is not finished, or the models agree.
    """
    found = compared.read(config)
    output = Path(f"{found.name}_questions.csv")
    if output.exists() and any(answer for answer, _ in sheets.read(output).values()):
        raise InputError(f"{output}: has answers and is not overwritten; expected: `selfembed judge {output}`")
    corpus = corpora.read_corpus(found.corpus)
    texts = corpora.sample(corpus, min(MOST_TEXTS, len(corpus)), SEED)["text"].tolist()
    if len(texts) <= NEAR + 1:
        raise InputError(f"{found.corpus}: {len(texts)} texts; expected: at least {NEAR + 2}")
    device = choose_device(found.device)
    models = found.before_folder, found.after_folder
    log.info("embedding %d texts with %s and %s", len(texts), *models)
    before, after = (nearest_texts(embedding.vectors_of(folder, texts, device), NEAR) for folder in models)
    drawn, differing = draw(before, after, number)
    if not len(drawn):
        raise InputError(
            f"{found.after_folder}: the {NEAR} nearest texts are those of {found.before_folder} for all "
            f"{len(texts)} texts; expected: models that disagree"
        )
    is_a = np.random.default_rng(SEED).random(len(drawn)) < 1 / 2
    table = sheet(texts, drawn, is_a)
    table.to_csv(output, index=False, encoding="utf-8-sig")  # the mark tells spreadsheets the encoding
    content = key(found, len(texts), differing, is_a, table)
    sheets.key_path(output).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    log.info("%d questions; write a or b in the column 'closer', or nothing to skip", len(table))
    return output


def draw(before: np.ndarray, after: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the first texts whose neighbours differ; texts are in random order.

    Args:
        before, after: neighbours by each model, nearest first, shape (texts, NEAR).
        number: maximum number of questions.

    Returns the positions of the text, of the nearest text of the encoder alone and of the other model alone, int64,
    shape (questions, 3), and for every text the number of neighbours that differ, int64, shape (texts,).
    """
    found, differing = [], np.zeros(len(before), dtype=np.int64)
    for place, (first, second) in enumerate(zip(before, after, strict=True)):
        of_first, of_second = first[~np.isin(first, second)], second[~np.isin(second, first)]
        differing[place] = len(of_first)
        if len(of_first) and len(found) < number:
            found.append((place, of_first[0], of_second[0]))
    return np.array(found, dtype=np.int64).reshape(-1, 3), differing


def sheet(texts: list[str], drawn: np.ndarray, is_a: np.ndarray) -> pd.DataFrame:
    """Return the table of questions, without answers.

    Args:
        drawn: positions of texts, as from `draw`.
        is_a: whether text a is that of the adapted model, shape (questions,).
    """
    shown = [[sheets.cell(texts[place], LONGEST) for place in row] for row in drawn]
    rows = [
        (number, text, *((after, before) if first else (before, after)), "")
        for number, ((text, before, after), first) in enumerate(zip(shown, is_a, strict=True), start=1)
    ]
    return pd.DataFrame(rows, columns=list(sheets.COLUMNS))


def key(found: Compared, n_texts: int, differing: np.ndarray, is_a: np.ndarray, table: pd.DataFrame) -> dict[str, Any]:
    """Return the key of a table of questions: models, sides, checksums, and how much the models disagree."""
    return {
        "before": found.before,
        "after": found.after,
        "folders": {"before": str(found.before_folder), "after": str(found.after_folder)},
        "seed": SEED,
        "texts": n_texts,
        "near": NEAR,
        "disagreeing": int((differing > 0).sum()),
        "differing": float(differing.mean()),
        "side_of_after": ["a" if first else "b" for first in is_a],
        "checksums": [sheets.checksum(row) for row in table.astype(str).to_dict("records")],
    }
