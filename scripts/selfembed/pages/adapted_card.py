"""The model card of an adapted model: its README.md, in the format of the Hugging Face Hub."""

import json
import re
from collections.abc import Sequence

from selfembed.models.model_cards import HEADER, usage
from selfembed.pages import plain_words
from selfembed.pages.account import Account, is_main
from selfembed.pages.plain_words import count


def card(account: Account, base_model: str | None) -> str:
    """Return the model card: use, data, recipe, scores, limitations, licence.

    Args:
        base_model: the repository on the Hugging Face Hub that the model started from; None if there is none.
    """
    front = HEADER
    if base_model is not None:
        known = f"base_model: {json.dumps(base_model)}\nbase_model_relation: finetune\n---\n"
        front = HEADER.removesuffix("---\n") + known
    headings, lines = plain_words.score_table(account, main=False)
    sentences = [row["sentence"] for rows in account.compared().values() for row in rows if is_main(row, rows)]
    seeds = max(row["n_seeds"] for rows in account.compared().values() for row in rows)
    which = (
        f"Scores are means over {count(seeds, 'seed')}; this folder holds the model of seed {account.recipe['seed']}."
    )
    return f"""{front}
# {inline(account.label)}: a text-embedding model adapted to {inline(account.corpus)}

Fine-tuned without labels by selfembed, from {inline(account.encoder)}.
{usage(account.own_code)}
## Data

The corpus `{account.corpus}`. {inline(" ".join(plain_words.texts(account)))}
Cleaning: runs of white space are replaced by one space; empty texts are excluded.

## Recipe

{inline(" ".join(plain_words.training(account)))}

{markdown_table(["setting", "value"], plain_words.settings(account))}

## Scores

{bullets(sentences)}

{markdown_table(["model", *headings], [[label, *cells] for label, cells in lines])}

Scores are computed on texts held out of training or of the classifier, with 95 % confidence intervals from a
bootstrap over texts and seeds. {which} Lower alignment and lower uniformity are better, but only together.

## Limits

{bullets(plain_words.limits(account))}

## Licence

No licence is set. The licences of the base model and of the training texts may restrict use and redistribution.
Add `license:` to the front matter of this file before you publish it.
"""


def inline(text: str) -> str:
    """Text escaped for a line of Markdown."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(text).split()))


def bullets(sentences: list[str]) -> str:
    """Sentences as a Markdown list."""
    return "\n".join(f"- {inline(sentence)}" for sentence in sentences)


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell if cell == '---' else inline(cell) for cell in line)} |" for line in lines)
