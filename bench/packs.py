"""How many texts give pairs, and how many tokens a pack has, by its number of sentences; writes `packs.csv`.

`bench/packs.py --corpus iclr_2017_2018_2021.parquet --column abstract --texts 100000` made
`scripts/selfembed/costs/packs.csv`, with the tokenizer of all-MiniLM-L6-v2 (BERT's vocabulary).
"""

from pathlib import Path

import measure
import numpy as np
import pandas as pd
import texts
from transformers import AutoTokenizer
from transformers.utils import logging

from selfembed.costs import sizes
from selfembed.costs.sizes import SPECIAL_TOKENS
from selfembed.jobs import command_line

TABLE = Path(sizes.__file__).with_name("packs.csv")


def main() -> None:
    """Count and write the table."""
    parser = command_line.parser(__doc__)
    texts.add_arguments(parser, 100_000)
    parser.add_argument("--sentences", type=int, default=10, help="most sentences in a pack")
    parser.add_argument("--table", type=Path, default=TABLE, help="CSV file to write")
    arguments = parser.parse_args()
    logging.set_verbosity_error()
    tokenizer = AutoTokenizer.from_pretrained(measure.minilm())
    corpus = texts.read(arguments)
    tokens = lengths(tokenizer, corpus["text"]) - SPECIAL_TOKENS
    characters = corpus["text"].str.len()
    print(
        f"{len(corpus)} texts, {characters.mean():.0f} characters in a text, "
        f"{characters.sum() / tokens.sum():.2f} in a token"
    )
    rows = []
    for sentences in range(1, arguments.sentences + 1):
        pairs = texts.crop_pairs(corpus, sentences=sentences)
        found = lengths(tokenizer, pd.concat([pairs["anchor"], pairs["positive"]]))
        rows.append({"sentences": sentences, "part": len(pairs) / len(corpus), "tokens": found.mean()})
    table = pd.DataFrame(rows).round({"part": 4, "tokens": 1})
    table.to_csv(arguments.table, index=False)
    print(table.to_markdown(index=False))


def lengths(tokenizer, found: pd.Series) -> np.ndarray:
    """Tokens of every text, special ones included."""
    return np.array([len(ids) for ids in tokenizer(found.tolist())["input_ids"]])


if __name__ == "__main__":
    main()
