"""The card of an adapted model that is ready to publish: its README.md, in the Hugging Face hub's format."""

import json
import re
from collections.abc import Sequence

from selfembed.models.model_cards import HEADER, usage
from selfembed.pages import plain_words
from selfembed.pages.account import Account, is_main
from selfembed.pages.plain_words import count


def card(account: Account, base_model: str | None) -> str:
    """Card of a model that is ready to publish: data, recipe, scores, limits, use.

    Args:
        base_model: the repository on the Hugging Face hub that it started from, if it did.
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
Cleaning: runs of white space are one space; empty texts are left out.

## Recipe

{inline(" ".join(plain_words.training(account)))}

{markdown_table(["setting", "value"], plain_words.settings(account))}

## Scores

{bullets(sentences)}

{markdown_table(["model", *headings], [[label, *cells] for label, cells in lines])}

On texts held out of training or of the classifier, with 95 % intervals from a bootstrap over texts and seeds. {which}
Of alignment and uniformity, lower is better, but of both together.

## Limits

{bullets(plain_words.limits(account))}

## Licence

None is set. What the model started from, and the texts it was trained on, may limit how it may be used and passed on:
add `license:` to the head of this file before you publish it.
"""


def inline(text: str) -> str:
    """Text as part of a line of Markdown, whatever is in it."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(text).split()))


def bullets(sentences: list[str]) -> str:
    """Sentences as a list."""
    return "\n".join(f"- {inline(sentence)}" for sentence in sentences)


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell if cell == '---' else inline(cell) for cell in line)} |" for line in lines)
