"""An account of a corpus and a model in plain words: what was done, what it is worth, what it is not.

Says no more than the evidence does (docs/evidence.md): models fine-tuned on a corpus find its crops better and need not
be better by labels. So labels decide where there are some, and to be better at finding crops decides nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from selfembed.errors import InputError
from selfembed.evidence.differences import spelled
from selfembed.pages.account import Account, is_main
from selfembed.scores import measures

# What happened to rows of a source that are no text of the corpus.
DROPPED = {"empty": "had no text", "too short": "were too short", "duplicate": "had the same text as one before"}


class Shown(NamedTuple):
    """What a model was shown of every text, as a sentence; and whether it learnt to find the other crop of a text."""

    sentence: str
    finds_crops: bool


SHOWN = {
    "crops": Shown(
        "From every text two different passages of {neighbours} were taken, and the model learnt to tell which two "
        "come from the same text (“crops”).",
        finds_crops=True,
    ),
    "dropout": Shown(
        "From every text {passage} was shown twice, each time with other random parts of the network switched off, and "
        "the model learnt to tell which two are the same (“dropout”).",
        finds_crops=False,
    ),
    "halves": Shown(
        "Every text was cut in two halves, and the model learnt to tell which two belong together.", finds_crops=True
    ),
    "whole_text": Shown(
        "Every text was shown twice, and the model learnt to tell which two are the same.", finds_crops=False
    ),
}

SETTINGS = {
    "augmentation": "augmentation",
    "sentences": "sentences in a passage",
    "minimum_length": "shortest sentence used, in characters",
    "maximum_length": "longest sentence used, in characters",
    "mask_fraction": "part of the tokens masked",
    "epochs": "passes over the texts",
    "batch_size": "pairs in a batch",
    "learning_rate": "peak learning rate (Adam)",
    "warmup": "part of the first pass over which it rises",
    "temperature": "temperature of the loss",
    "pooling": "pooling",
    "projection": "widths of a head, dropped after training",
    "unfrozen_layers": "top layers trained",
    "max_length": "tokens of a passage read in training",
    "precision": "precision",
    "held_out": "part of the texts held out",
    "seed": "seed",
}


@dataclass(frozen=True)
class Conclusion:
    """The one thing to remember: `verdict` (empty if nothing is decided), a heading, and what to make of it."""

    verdict: str
    heading: str
    meaning: list[str]


def count(number: float, thing: str, things: str | None = None) -> str:
    """A number of things: `1 text`, `2,000 texts`."""
    return f"{int(number):,} {thing if int(number) == 1 else things or f'{thing}s'}"


def texts(account: Account) -> list[str]:
    """Sentences: how many texts were read and kept, why others were dropped, what they are like."""
    rows, described = account.counts, account.description
    said = []
    if rows.get("read") is not None:
        reasons = [f"{rows[key]:,} {why}" for key, why in DROPPED.items() if rows.get(key)]
        fate = f"{listed(reasons)} and were left out" if reasons else "none had to be left out"
        said.append(f"Of {count(rows['read'], 'row')} read, {fate}; {count(rows['kept'], 'text')} were kept.")
        if described["texts"] != rows["kept"]:
            said.append(f"A random sample of {count(described['texts'], 'text')} of them was used.")
    said.append(f"A text has {described['mean_length']:,.0f} characters on average.")
    if described["labelled"]:
        said.append(
            f"{int(described['labelled']):,} have a label, of {count(described['classes'], 'class', 'classes')}. "
            "Training does not look at labels."
        )
    return said


def training(account: Account) -> list[str]:
    """Sentences: what the model started from, what it was shown, and what it learnt from that."""
    recipe = account.recipe
    said = [f"Training started from {account.encoder}."]
    sentences = recipe.get("sentences", 2)
    words = {"passage": f"a passage of {count(sentences, 'sentence')}"}
    words["neighbours"] = count(sentences, "neighbouring sentence")
    said.append(shown(recipe["augmentation"]).sentence.format(**words))
    if recipe.get("mask_fraction"):
        said.append(f"{recipe['mask_fraction']:.0%} of the words were hidden from it.")
    if recipe.get("unfrozen_layers") is not None:
        said.append(f"Only the top {count(recipe['unfrozen_layers'], 'layer')} of the model changed.")
    said.append(
        f"It saw {count(account.pairs, 'such pair')} in {count(recipe['epochs'], 'pass', 'passes')} over the texts, "
        f"{recipe['batch_size']} at a time: {count(account.steps, 'step')}. No label was used."
    )
    if recipe.get("held_out"):
        said.append(f"{recipe['held_out']:.0%} of the texts were kept from training, so that scores can be honest.")
    first, last = account.losses.iloc[0], account.losses.tail(10).mean()
    said.append(
        f"The training loss {'fell' if last < first else 'did not fall: it went'} from {first:.3f} to {last:.3f}."
    )
    return said


def shown(augmentation: str) -> Shown:
    """What an augmentation shows of every text.

    Raises InputError if it has no entry in SHOWN.
    """
    if augmentation not in SHOWN:
        raise InputError(f"augmentation {augmentation!r} has no description; known: {', '.join(SHOWN)}")
    return SHOWN[augmentation]


def settings(account: Account) -> list[tuple[str, str]]:
    """Every setting of the run, by what it is."""
    return [(what, str(account.recipe[key])) for key, what in SETTINGS.items() if account.recipe.get(key) is not None]


def conclusion(account: Account) -> Conclusion:
    """What the scores say of the model against the encoder before fine-tuning, and what they do not."""
    model, before = account.label, account.base_label
    main = {other: [row for row in rows if is_main(row, rows)] for other, rows in account.compared().items()}
    rows = main.get(before, [])
    by_labels = together(row["verdict"] for row in rows if about(row) == "labels")
    by_crops = together(row["verdict"] for row in rows if about(row) in ("crops", "found crops"))
    keep = f"Nothing here speaks for using {model} instead of {before}."
    if by_labels is not None:
        headings = {
            "better": f"By the labels of your texts, {model} is better than {before}.",
            "worse": f"By the labels of your texts, {model} is worse than {before}.",
            "not distinguishable": f"By the labels of your texts, {model} and {before} are not distinguishable.",
            "mixed": f"By the labels of your texts, it depends on the score whether {model} or {before} is better.",
        }
        meaning = [] if by_labels in ("better", "mixed") else [keep]
        if by_crops is not None and by_crops != by_labels:
            meaning.append(f"Without labels the verdict would be another: {by_crops}. {caution(account)}")
            meaning.append("So the labels count for more.")
        return Conclusion(by_labels, headings[by_labels], meaning + outdone(account, main))
    if by_crops is not None:
        at = "at finding the other crop of a text"
        headings = {
            "better": f"{model} is better than {before} {at}. That alone does not make it the better model.",
            "worse": f"{model} is worse than {before} {at}.",
            "not distinguishable": f"{model} and {before} are not distinguishable {at}.",
            "mixed": f"It depends on the score whether {model} or {before} is better {at}.",
        }
        meaning = ["From one crop, a short piece of a text, the other of the same text was looked for."]
        meaning.append(caution(account) if by_crops in ("better", "mixed") else keep)
        if by_crops == "better":
            meaning.append(
                f"Before you prefer it, compare {model} and {before} on a task of your own, or label some hundred "
                "texts and run this again: labels decide."
            )
        verdict = "" if by_crops == "better" else by_crops
        return Conclusion(verdict, headings[by_crops], meaning + outdone(account, main))
    return Conclusion("", f"What {model} is worth, beside other models", [caution(account), *outdone(account, main)])


def about(row: dict[str, Any]) -> str:
    """What the measure of a row judges models by."""
    return measures.MEASURES[row["measure"]].about


def verdict(account: Account) -> list[str]:
    """The conclusion and the sentences that it is drawn from, for a terminal."""
    said = conclusion(account)
    rows = [row for rows in account.compared().values() for row in rows if is_main(row, rows)]
    return [said.heading, *said.meaning, *(f"- {row['sentence']}" for row in rows)]


def outdone(account: Account, compared: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A sentence that names models, besides the encoder before fine-tuning, that are better in some main score."""
    better = [
        other
        for other, rows in compared.items()
        if other != account.base_label and any(row["verdict"] == "worse" for row in rows)
    ]
    return [f"{listed(better)} did better than {account.label} in some score below."] if better else []


def together(verdicts: Iterable[str]) -> str | None:
    """One verdict of several: theirs if they agree, `mixed` if they do not, None if there is none."""
    found = set(verdicts)
    return next(iter(found), None) if len(found) < 2 else "mixed"


def badge(row: dict[str, Any]) -> tuple[str, str]:
    """The verdict of a row in a few words, and how it looks: `better`, `worse`, or empty where it decides nothing."""
    verdict = row["verdict"]
    if about(row) == "labels":
        return verdict, verdict if verdict in ("better", "worse") else ""
    words = f"{verdict} at finding crops" if about(row) == "found crops" else verdict
    return words, "worse" if verdict == "worse" else ""


def caution(account: Account) -> str:
    """What finding crops is worth as evidence."""
    tried = (
        "Where this was tried on texts with labels, training made a good pretrained model better at it, but not better "
        "by the labels, once even worse (docs/evidence.md)."
    )
    if shown(account.recipe["augmentation"]).finds_crops:
        return (
            "Finding the other crop is what this model was trained for, on other texts, so the test favours it. "
            f"{tried}"
        )
    return f"Finding the other crop is a stand-in for labels. {tried}"


def score_heading(corpus: str, score: str, measure: str, several_corpora: bool) -> str:
    """What a column of scores is called."""
    heading = measures.MEASURES[measure].heading
    heading = f"{heading} ({score})" if measure == measures.ACCURACY else heading
    return f"{heading}, {corpus}" if several_corpora else heading


def score_table(account: Account, main: bool) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Headings of columns, and for every label its cells: values with intervals, in per cent where they are parts of 1.

    Args:
        main: the main scores alone, or all.
    """
    values = account.values()
    chosen = [row for row in account.rows if not main or is_main(row, account.rows)]
    columns = list(dict.fromkeys((row["corpus"], row["score"], row["measure"]) for row in chosen))
    several = len({corpus for corpus, *_ in columns}) > 1
    headings = [score_heading(*column, several) for column in columns]
    lines = [(label, [cell(found.get(column), column[2]) for column in columns]) for label, found in values.items()]
    return headings, [(label, cells) for label, cells in lines if any(cells)]


def cell(numbers: tuple[float, float, float] | None, measure: str) -> str:
    """A value with its interval; nothing if there is none."""
    if numbers is None:
        return ""
    value, low, high = (spelled(number, measure) for number in numbers)
    unit = "%" if measures.MEASURES[measure].fraction else ""
    return f"{value}{unit} ({low} to {high})"


def limits(account: Account) -> list[str]:
    """What the model and its scores are not."""
    compared = [row for rows in account.compared().values() for row in rows]
    said = [
        f"The model is adapted to {account.corpus}. On other texts it may be worse than what it started from.",
        f"It reads the first {account.max_length:,} tokens of a text, roughly {account.max_length * 3 // 4:,} English "
        "words; what comes later does not count.",
    ]
    if any(about(row) in ("crops", "found crops") for row in compared):
        said.append(caution(account))
    seeds = max(row["n_seeds"] for row in compared)
    if seeds < 2:
        said.append("There was one seed: intervals do not say what training with another would give.")
    elif seeds < 5:
        said.append("With so few seeds, intervals can be too short.")
    said.append("Every comparison is judged alone: of twenty true ties, one is called better or worse by chance.")
    return said


def listed(words: list[str]) -> str:
    """Words as a list in a sentence."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def held_out(counts: dict[str, Any]) -> str:
    """What crops were drawn from, as a sentence; `counts` are those of a corpus of crops."""
    usable = counts["held out"] - counts["without two crops"]
    drawn = "all of them were used" if counts["kept"] == usable else f"{counts['kept']:,} of them were drawn"
    return f"Of {count(counts['held out'], 'held-out text')}, {usable:,} are long enough for two crops; {drawn}."
