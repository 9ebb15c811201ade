"""The model card of an adapted model: its README.md, in the format of the Hugging Face Hub."""

import json
import re
from collections.abc import Sequence

from selfembed.models.model_cards import HEADER, usage
from selfembed.pages import plain_words
from selfembed.pages.account import Account


def card(account: Account, base_model: str | None) -> str:
    """Return the model card: use, data, recipe, scores, limitations, licence.

    Args:
        base_model: the repository on the Hugging Face Hub that the model started from; None if there is none.
    """
    front = HEADER
    if base_model is not None:
        relation = "" if account.choice.is_kept else "base_model_relation: finetune\n"
        front = HEADER.removesuffix("---\n") + f"base_model: {json.dumps(base_model)}\n{relation}---\n"
    answer = plain_words.answer(account)
    headings, lines = plain_words.score_table(account)
    return f"""{front}
{heading(account)}{usage(account.own_code)}
## Data

The corpus `{account.corpus}`. {inline(" ".join(plain_words.texts(account)))}
Cleaning: runs of white space are replaced by one space; empty texts are excluded.
{recipe(account)}
## Scores

{inline(answer.heading)}

{bullets(answer.sentences)}

{markdown_table(["model", *headings], [[label, *cells] for label, cells in lines])}

Scores are in per cent on all test texts; in parentheses, the difference from {inline(account.choice.keep)} and its 95 %
confidence interval from a bootstrap over texts and seeds.

## Limits

{bullets(plain_words.limits(account))}

## Licence

No licence is set. The licences of the base model and of the training texts may restrict use and redistribution.
Add `license:` to the front matter of this file before you publish it.
"""


def heading(account: Account) -> str:
    """Return the heading and the first sentence of the card."""
    if account.choice.is_kept:
        return f"""# {inline(account.choice.label)}: an encoder without fine-tuning, for {inline(account.corpus)}

{inline(account.encoder)}. selfembed compared it with models adapted to the corpus: none was better with confidence.
"""
    if account.run is None:
        return f"""# {inline(account.choice.label)}: a text-embedding model adapted to {inline(account.corpus)}

{inline(account.encoder)}, not fine-tuned. {inline(plain_words.counted_words(account.word_counts))}
"""
    return f"""# {inline(account.choice.label)}: a text-embedding model adapted to {inline(account.corpus)}

Fine-tuned without labels by selfembed, from {inline(account.encoder)}.
"""


def recipe(account: Account) -> str:
    """Return the section on the training; empty without training."""
    if account.run is None:
        return ""
    return f"""
## Recipe

{inline(" ".join(plain_words.training(account)))}

{markdown_table(["setting", "value"], plain_words.settings(account))}
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
