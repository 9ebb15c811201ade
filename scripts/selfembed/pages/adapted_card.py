"""The model card of an adapted model: its README.md, in the format of the Hugging Face Hub."""

import re
from collections.abc import Sequence
from typing import Any

from selfembed.models import model_cards
from selfembed.pages import plain_words
from selfembed.pages.account import Account

# Kinds of tasks in the metadata, by purpose (https://huggingface.co/tasks).
TASKS = {"search": "sentence-similarity", "grouping": "text-classification"}
DECIMALS = 4  # of scores in the metadata


def card(account: Account) -> str:
    """Return the model card: metadata with scores; use, base model, data, recipe, scores, limitations, licence."""
    metadata = model_cards.METADATA | account.origin.get("licence", {})
    if base_model := account.origin.get("repository"):
        relation = {} if account.choice.is_kept else {"base_model_relation": "finetune"}
        metadata |= {"base_model": base_model, **relation}
    if account.run and account.run.fraction is None and account.run.recipe.get("matryoshka"):
        metadata[model_cards.MATRYOSHKA] = account.run.recipe["matryoshka"]
    metadata["model-index"] = [{"name": account.choice.label, "results": results(account)}]
    answer = plain_words.answer(account)
    headings, lines = plain_words.score_table(account)
    return f"""{model_cards.front_matter(metadata)}
{heading(account)}{model_cards.usage(account.own_code)}
## Base model

{bullets(base(account))}

## Data

{inline(plain_words.without_texts(account))}

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

{licence(account)}
"""


def results(account: Account) -> list[dict[str, Any]]:
    """Scores of the model as entries of `model-index`, one for each corpus and task, as fractions of 1.

    https://huggingface.co/docs/hub/model-cards#evaluation-results
    """
    found: dict[tuple, dict[str, Any]] = {}
    kept = account.choice.is_kept
    for row in account.of_table():
        if not kept and row["label"] != account.choice.label:
            continue
        task = {"type": TASKS[row["purpose"]], "name": row["purpose"]}
        texts = f"{plain_words.count(row['n_texts'], 'test text')} of {row['corpus']} (not part of this repository)"
        entry = {"task": task, "dataset": {"type": row["corpus"], "name": texts}, "metrics": []}
        metrics = found.setdefault((row["purpose"], row["corpus"], row["n_texts"]), entry)["metrics"]
        name = plain_words.score_heading(row["score"], row["measure"])
        value = round(float(row["against_value" if kept else "value"]), DECIMALS)
        metric = {"type": row["measure"], "name": name, "value": value}
        if metric not in metrics:  # the encoder has the same score in every comparison
            metrics.append(metric)
    return list(found.values())


def base(account: Account) -> list[str]:
    """Sentences on the model before fine-tuning: description, revision, checksum, licence."""
    origin = account.origin
    said = [f"Encoder: {account.encoder}"]
    if "revision" in origin:
        said.append(f"Revision: {origin['revision']}")
    if "weights" in origin:
        said.append(f"SHA-256 of its weights: {origin['weights']}")
    return [*said, f"Licence: {name_of_licence(account) or 'unknown'}"]


def name_of_licence(account: Account) -> str | None:
    """Name of the licence of the base model; None if it is unknown."""
    return model_cards.name_of_licence(account.origin.get("licence", {}))


def licence(account: Account) -> str:
    """The section on the licence."""
    if name := name_of_licence(account):
        return (
            f"The licence in the front matter of this file, {inline(name)}, is that of the base model, as its card "
            "gives it. The licence of the training texts may restrict use and redistribution further."
        )
    return (
        "No licence is set. The licences of the base model and of the training texts may restrict use and "
        "redistribution. Add `license:` to the front matter of this file before you publish it."
    )


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
