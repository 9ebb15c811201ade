"""The sentences of the report and of the model card: data, training, results, limitations.

Models fine-tuned on a corpus retrieve its crops better but are not necessarily better by labels (docs/evidence.md). So
labels take precedence, and better crop retrieval alone is not a verdict.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from selfembed.errors import InputError
from selfembed.evidence.differences import format_number
from selfembed.pages.account import Account, is_main
from selfembed.scores import class_balance, measures, tables

# Why rows of a source are excluded from the corpus.
DROPPED = {"empty": "had no text", "too short": "were too short", "duplicate": "were duplicates"}


# How texts were split into sentences.
SPLIT = {
    "paper": "into sentences at full stops",
    "unicode": "into sentences at the sentence ends of any script",
    "lines": "at line ends; every line counts as a sentence",
}


class Shown(NamedTuple):
    """The sentence that describes the positive pairs, and whether training resembles crop retrieval."""

    sentence: str
    finds_crops: bool


SHOWN = {
    "crops": Shown(
        "From every text two different passages of {neighbours} were taken, and the model was "
        "trained to match passages of the same text (“crops”).",
        finds_crops=True,
    ),
    "dropout": Shown(
        "From every text {passage} was shown twice with different dropout masks, and the model was trained "
        "to match the two copies (“dropout”).",
        finds_crops=False,
    ),
    "halves": Shown(
        "Every text was cut in two halves, and the model was trained to match halves of the same text.",
        finds_crops=True,
    ),
    "whole_text": Shown(
        "Every text was shown twice, and the model was trained to match the two copies.", finds_crops=False
    ),
}

SETTINGS = {
    "augmentation": "augmentation",
    "sentences": "sentences in a passage",
    "minimum_length": "shortest sentence used, in characters",
    "maximum_length": "longest sentence used, in characters",
    "mask_fraction": "fraction of masked tokens",
    "epochs": "epochs",
    "batch_size": "batch size, in pairs",
    "learning_rate": "peak learning rate (Adam)",
    "warmup": "fraction of the first epoch with learning-rate warm-up",
    "temperature": "temperature of the loss",
    "guide": "false negatives left out, by the encoder before fine-tuning",
    "pooling": "pooling",
    "projection": "widths of the projection head (removed after training)",
    "unfrozen_layers": "unfrozen top layers",
    "max_length": "tokens per passage in training",
    "precision": "precision",
    "held_out": "fraction of held-out texts",
    "seed": "random seed",
}


@dataclass(frozen=True)
class Conclusion:
    """The main result: `verdict` (empty if there is none), a heading, and sentences that interpret it."""

    verdict: str
    heading: str
    meaning: list[str]


def count(number: float, thing: str, things: str | None = None) -> str:
    """Format a count with its noun: `1 text`, `2,000 texts`."""
    return f"{int(number):,} {thing if int(number) == 1 else things or f'{thing}s'}"


def texts(account: Account) -> list[str]:
    """Sentences on the data: numbers of rows read and texts kept, reasons for exclusion, length, labels."""
    rows, described = account.counts, account.description
    said = []
    if rows.get("read") is not None:
        reasons = [f"{rows[key]:,} {why}" for key, why in DROPPED.items() if rows.get(key)]
        fate = f"{listed(reasons)} and were excluded" if reasons else "none were excluded"
        said.append(f"Of {count(rows['read'], 'row')} read, {fate}; {count(rows['kept'], 'text')} were kept.")
        if described["texts"] != rows["kept"]:
            said.append(f"A random sample of {count(described['texts'], 'text')} was used.")
    said.append(f"A text has {described['mean_length']:,.0f} characters on average.")
    said.append(f"Texts were split {SPLIT[account.sentences]}.")
    if repeated := rows.get("sentences, repeated"):
        said.append(
            f"{repeated / rows['sentences']:.0%} of the sentences occur, apart from digits and case, in at least "
            f"{count(account.drop_repeated, 'text')}; they were not used in training and crops."
        )
    if described["labelled"]:
        said.append(
            f"{int(described['labelled']):,} have a label ({count(described['classes'], 'class', 'classes')}). "
            "Labels are not used in training."
        )
    return said


def training(account: Account) -> list[str]:
    """Sentences on the training: base model, positive pairs, amount of training, loss."""
    recipe = account.recipe
    said = [f"Training started from {account.encoder}.", *own_modules(account)]
    sentences = recipe.get("sentences", 2)
    words = {"passage": f"a passage of {count(sentences, 'sentence')}"}
    words["neighbours"] = count(sentences, "neighbouring sentence")
    said.append(shown(recipe["augmentation"]).sentence.format(**words))
    if recipe.get("mask_fraction"):
        said.append(f"{recipe['mask_fraction']:.0%} of the tokens were masked.")
    if recipe.get("guide"):
        said.append(
            f"Passages that {account.encoder} found more similar than the pair itself were not used as negatives."
        )
    if recipe.get("unfrozen_layers") is not None:
        said.append(f"Training changed only the top {count(recipe['unfrozen_layers'], 'layer')} of the model.")
    said.append(
        f"It was trained on {count(account.pairs, 'pair')} in {count(recipe['epochs'], 'epoch')}, with batches of "
        f"{recipe['batch_size']} pairs: {count(account.steps, 'step')}. No labels were used."
    )
    if recipe.get("held_out"):
        said.append(f"{recipe['held_out']:.0%} of the texts were held out of training for evaluation.")
    first, last = account.losses.iloc[0], account.losses.tail(10).mean()
    said.append(
        f"The training loss {'decreased' if last < first else 'did not decrease: it went'} from {first:.3f} to "
        f"{last:.3f}."
    )
    if account.fraction is not None:
        said.append(
            f"The weights of the model are those of {account.encoder} plus {account.fraction:g} times the change in "
            "training."
        )
    return said


def own_modules(account: Account) -> list[str]:
    """Sentences on the encoder's own modules, maximum length and prompts, and on the settings that replace them."""
    own, recipe = account.own, account.recipe
    if not own:
        return []
    modules = listed(own["modules"])
    if recipe["pooling"] == "own":
        said = [f"Its own modules after the transformer were kept: {modules}."]
        prompt = f"“{own['prompt']}” precedes every text, as in training" if own["prompt"] else "none is used"
        said += [f"Of its prompts ({listed(own['prompts'])}), {prompt}."] if own["prompts"] else []
    else:
        without = ", and its prompts are not used" if own["prompts"] else ""
        said = [f"Pooling “{recipe['pooling']}” replaces its own modules after the transformer ({modules}){without}."]
    if own["max_length"] not in (None, account.max_length):
        said.append(f"It reads {own['max_length']:,} tokens of a text by itself; here, {account.max_length:,}.")
    return said


def shown(augmentation: str) -> Shown:
    """Return the description of an augmentation.

    Raises InputError if it has no entry in SHOWN.
    """
    if augmentation not in SHOWN:
        raise InputError(f"augmentation {augmentation!r} has no description; known: {', '.join(SHOWN)}")
    return SHOWN[augmentation]


def settings(account: Account) -> list[tuple[str, str]]:
    """Return description and value of every setting of the run."""
    return [(what, str(account.recipe[key])) for key, what in SETTINGS.items() if account.recipe.get(key) is not None]


def conclusion(account: Account) -> Conclusion:
    """How the model compares with the encoder before fine-tuning, and how to interpret it."""
    model, before = account.label, account.base_label
    main = {other: [row for row in rows if is_main(row, rows)] for other, rows in account.compared().items()}
    rows = main.get(before, [])
    by_labels = common_verdict(row["verdict"] for row in rows if about(row) == "labels")
    by_crops = common_verdict(row["verdict"] for row in rows if about(row) in ("crops", "found crops"))
    keep = f"These results give no reason to use {model} instead of {before}."
    if by_labels is not None:
        headings = {
            "better": f"By the labels of your texts, {model} is better than {before}.",
            "worse": f"By the labels of your texts, {model} is worse than {before}.",
            "not distinguishable": f"By the labels of your texts, {model} and {before} are not distinguishable.",
            "mixed": f"By the labels of your texts, whether {model} or {before} is better depends on the score.",
        }
        meaning = [] if by_labels in ("better", "mixed") else [keep]
        if by_crops is not None and by_crops != by_labels:
            meaning.append(f"Crop retrieval gives a different verdict: {by_crops}. {caution(account)}")
            meaning.append("Therefore the labels take precedence.")
        return Conclusion(by_labels, headings[by_labels], meaning + better_models(account, main))
    if by_crops is not None:
        at = "at crop retrieval"
        headings = {
            "better": f"{model} is better than {before} {at}. This alone does not show that it is the better model.",
            "worse": f"{model} is worse than {before} {at}.",
            "not distinguishable": f"{model} and {before} are not distinguishable {at}.",
            "mixed": f"Whether {model} or {before} is better {at} depends on the score.",
        }
        meaning = ["Crop retrieval: given one crop (a short passage) of a text, find the other crop of the same text."]
        meaning.append(caution(account) if by_crops in ("better", "mixed") else keep)
        if by_crops == "better":
            meaning.append(
                f"Before you use it, compare {model} and {before} on your own task, or label a few hundred texts and "
                "run this again. Labels take precedence."
            )
        verdict = "" if by_crops == "better" else by_crops
        return Conclusion(verdict, headings[by_crops], meaning + better_models(account, main))
    meaning = [caution(account), *better_models(account, main)]
    return Conclusion("", f"Scores of {model} compared with other models", meaning)


def about(row: dict[str, Any]) -> str:
    """Return the basis of the measure of a row: `labels`, `crops` or `found crops`."""
    return measures.MEASURES[row["measure"]].about


def verdict(account: Account) -> list[str]:
    """Return the conclusion and the sentences that it is based on, for the terminal."""
    said = conclusion(account)
    rows = [row for rows in account.compared().values() for row in rows if is_main(row, rows)]
    return [said.heading, *said.meaning, *(f"- {row['sentence']}" for row in rows)]


def better_models(account: Account, compared: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Return a sentence on models, except the encoder before fine-tuning, that are better in a main score."""
    better = [
        other
        for other, rows in compared.items()
        if other != account.base_label and any(row["verdict"] == "worse" for row in rows)
    ]
    return [f"{listed(better)} scored better than {account.label} in at least one comparison below."] if better else []


def common_verdict(verdicts: Iterable[str]) -> str | None:
    """Return the common verdict of several rows, `mixed` if they disagree, None if there are none."""
    found = set(verdicts)
    return next(iter(found), None) if len(found) < 2 else "mixed"


def badge(row: dict[str, Any]) -> tuple[str, str]:
    """Return the verdict of a row as a short text, and its style: `better`, `worse`, or empty if inconclusive."""
    verdict = row["verdict"]
    if about(row) == "labels":
        return verdict, verdict if verdict in ("better", "worse") else ""
    words = f"{verdict} at crop retrieval" if about(row) == "found crops" else verdict
    return words, "worse" if verdict == "worse" else ""


def caution(account: Account) -> str:
    """How far crop retrieval can be trusted."""
    tried = (
        "In tests on labelled texts, training improved a strong pretrained model at crop retrieval, but not by the "
        "labels; in one case it was worse by the labels (docs/evidence.md)."
    )
    if shown(account.recipe["augmentation"]).finds_crops:
        return f"This model was trained for crop retrieval, on other texts, so this score favours it. {tried}"
    return f"Crop retrieval is a substitute for labels. {tried}"


def score_heading(corpus: str, score: str, measure: str, several_corpora: bool) -> str:
    """Heading of a column of scores."""
    heading, about, *_ = measures.MEASURES[measure]
    heading = f"{heading} ({score.removesuffix(f'_{measure}')})" if about == "labels" else heading
    return f"{heading}, {corpus}" if several_corpora else heading


def score_table(account: Account, main: bool) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Headings of columns, and the cells of every label: values with intervals, in per cent if they are fractions.

    Args:
        main: only the main scores, instead of all.
    """
    values = account.values()
    chosen = [row for row in account.rows if not main or is_main(row, account.rows)]
    columns = list(dict.fromkeys((row["corpus"], row["score"], row["measure"]) for row in chosen))
    several = len({corpus for corpus, *_ in columns}) > 1
    headings = [score_heading(*column, several) for column in columns]
    lines = [(label, [cell(found.get(column), column[2]) for column in columns]) for label, found in values.items()]
    return headings, [(label, cells) for label, cells in lines if any(cells)]


def cell(numbers: tuple[float, float, float] | None, measure: str) -> str:
    """Format a value with its interval, if it has one; empty if there is no value."""
    if numbers is None:
        return ""
    value, low, high = (format_number(number, measure) for number in numbers)
    unit = "%" if measures.MEASURES[measure].fraction else ""
    return f"{value}{unit}" if math.isnan(numbers[1]) else f"{value}{unit} ({low} to {high})"


def limits(account: Account) -> list[str]:
    """Sentences on the limitations of the model and its scores."""
    compared = [row for rows in account.compared().values() for row in rows]
    said = [
        f"The model is adapted to {account.corpus}. On other texts it may be worse than the model it started from.",
        f"It reads the first {account.max_length:,} tokens of a text, roughly {account.max_length * 3 // 4:,} English "
        "words, and ignores the rest.",
    ]
    if any(about(row) in ("crops", "found crops") for row in compared):
        said.append(caution(account))
    shares = [row.get(tables.LARGEST_CLASS, 0) for row in compared if row["measure"] == measures.ACCURACY]
    if unequal := [share for share in shares if share > class_balance.UNEQUAL]:
        said.append(
            f"{max(unequal):.1%} of the labelled test texts are of one class, so accuracies say little: compare the "
            "balanced accuracies, which count every class alike."
        )
    seeds = max(row["n_seeds"] for row in compared)
    if seeds < 2:
        said.append("Only one seed was used: confidence intervals do not include the variation between seeds.")
    elif seeds < 5:
        said.append("With so few seeds, confidence intervals can be too narrow.")
    said.append(
        "There is no correction for multiple comparisons: one true tie in twenty is called better or worse by chance."
    )
    return said


def listed(words: list[str]) -> str:
    """Words joined as in a sentence: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def held_out(counts: dict[str, Any]) -> str:
    """Return a sentence on the texts that crops were drawn from; `counts` are those of a corpus of crops."""
    usable = counts["held out"] - counts["without two crops"]
    drawn = "all of them were used" if counts["kept"] == usable else f"{counts['kept']:,} of them were drawn"
    said = f"Of {count(counts['held out'], 'held-out text')}, {usable:,} are long enough for two crops; {drawn}."
    if twins := counts.get("kept, a crop is in another text"):
        said += f" {count(twins, 'text')} had a crop that is also in another text; the other was then not a candidate."
    return said
