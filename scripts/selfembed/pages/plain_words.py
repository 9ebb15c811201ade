"""The sentences of the report and of the model card: the choice, data, training, results, limitations."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from selfembed.evidence.choice import Judgement
from selfembed.evidence.differences import format_number
from selfembed.pages.account import Account
from selfembed.scores import class_balance, measures, tables

# Line of the table of scores.
ALWAYS = "always the largest class"

# Why rows of a source are excluded from the corpus.
DROPPED = {"empty": "had no text", "too short": "were too short", "duplicate": "were duplicates"}

# How texts were split into sentences.
SPLIT = {
    "paper": "into sentences at full stops",
    "unicode": "into sentences at the sentence ends of any script",
    "lines": "at line ends; every line counts as a sentence",
    "words": "after every 20 words, because they have no marks of sentences",
}

# How positive pairs are made, by augmentation.
SHOWN = {
    "crops": "From every text two different passages of {neighbours} were taken, and the model was trained to match "
    "passages of the same text (“crops”).",
    "dropout": "From every text {passage} was shown twice with different dropout masks, and the model was trained to "
    "match the two copies (“dropout”).",
    "halves": "Every text was cut in two halves, and the model was trained to match halves of the same text.",
    "whole_text": "Every text was shown twice, and the model was trained to match the two copies.",
    "titles": "Every text was shown without the title at its beginning, and the model was trained to match it with its "
    "title (“titles”).",
    "groups": "Every text was shown with another text of its group, such as a thread or a product, and the model was "
    "trained to match the two (“groups”).",
}

# What a model does in a case, by what the measure is about.
DOES = {
    "found texts": "finds the text that belongs to a title, or the title of a text, first",
    "found crops": "finds the other passage of a text first",
    "labels": "gives a text its label",
}


class HeldOut(NamedTuple):
    """Numbers of a corpus of pairs, by name: texts that cannot be used and twins; and what is said about the others."""

    unusable: str
    can_be_used: str
    twins: str
    twins_have: str


HELD_OUT = (
    HeldOut(
        "without two crops",
        "are long enough for two crops",
        "kept, a crop is in another text",
        "had a crop that is also in another text; the other was then not a candidate",
    ),
    HeldOut(
        "without a title or another text",
        "have a title and other text",
        "kept, a title or text is in another text",
        "had the title or the text of another, which was then not a candidate",
    ),
)

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
    "early_stopping": "training stops when the loss of validation pairs no longer falls",
    "guide": "false negatives left out, by the encoder before fine-tuning",
    "matryoshka": "first dimensions that are trained, too",
    "pooling": "pooling",
    "projection": "widths of the projection head (removed after training)",
    "unfrozen_layers": "unfrozen top layers",
    "lora_rank": "rank of the changes of linear layers (LoRA)",
    "lora_alpha": "alpha of the changes of linear layers",
    "lora_target_modules": "layers that were changed",
    "max_length": "tokens per passage in training",
    "precision": "precision",
    "held_out": "fraction of held-out texts",
    "seed": "random seed",
}


@dataclass(frozen=True)
class Answer:
    """The result of the choice: a heading, whether another model than the encoder is better, and sentences."""

    heading: str
    is_better: bool
    sentences: list[str]


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


def without_texts(account: Account) -> str:
    """Sentence on what the folder of the model contains of the texts."""
    if account.word_counts:
        return (
            "The texts are not part of this folder. Its word counts tell which tokens are in several of them, how "
            "often and beside which others, but not in what order."
        )
    return "The texts are not part of this folder."


def training(account: Account) -> list[str]:
    """Sentences on the training: base model, positive pairs, amount of training, loss, word counts.

    Empty if the encoder is kept as it is.
    """
    counted = [counted_words(account.word_counts)] if account.word_counts else []
    if account.run is None:
        return (
            [f"The encoder, {account.encoder}, was not fine-tuned.", *own_modules(account), *counted] if counted else []
        )
    run, recipe = account.run, account.run.recipe
    said = [f"Training started from {account.encoder}.", *own_modules(account), *counted]
    sentences = recipe.get("sentences", 2)
    words = {"passage": f"a passage of {count(sentences, 'sentence')}"}
    words["neighbours"] = count(sentences, "neighbouring sentence")
    said.append(SHOWN[recipe["augmentation"]].format(**words))
    if recipe.get("mask_fraction"):
        said.append(f"{recipe['mask_fraction']:.0%} of the tokens were masked.")
    if recipe.get("guide"):
        said.append("Texts that the encoder finds more similar than those of the pair were not used as negatives.")
    if recipe.get("matryoshka"):
        dims = listed(list(map(str, recipe["matryoshka"])))
        said.append(f"The first {dims} dimensions of the vectors were trained, too, so that vectors can be cut there.")
    if recipe.get("unfrozen_layers") is not None:
        said.append(f"Training changed only the top {count(recipe['unfrozen_layers'], 'layer')} of the model.")
    if recipe.get("lora_rank"):
        said.append(f"Training changed linear layers by matrices of rank {recipe['lora_rank']} (LoRA).")
    said.append(
        f"It was trained on {count(run.pairs, 'pair')} in {count(recipe['epochs'], 'epoch')}, with batches of "
        f"{recipe['batch_size']} pairs: {count(run.steps, 'step')}. No labels were used."
    )
    if recipe.get("held_out"):
        said.append(f"{recipe['held_out']:.0%} of the texts were held out of training for evaluation.")
    first, last = run.losses.iloc[0], run.losses.tail(10).mean()
    said.append(
        f"The training loss {'decreased' if last < first else 'did not decrease: it went'} from {first:.3f} to "
        f"{last:.3f}."
    )
    if run.fraction is not None:
        said.append(f"The weights of the model are those of the encoder plus {run.fraction:g} times their change.")
    return said


def counted_words(found: dict[str, Any]) -> str:
    """Sentence on the word counts beside the vectors of a model."""
    return (
        f"{count(found['components'], 'component')} of word counts (the singular value decomposition of TF-IDF, fitted "
        "on the training texts) are beside the vectors of the encoder, so texts with the same rare words are closer."
    )


def own_modules(account: Account) -> list[str]:
    """Sentences on the encoder's own modules, maximum length and prompts, and on the settings that replace them."""
    own = account.own
    if not own:
        return []
    modules = listed(own["modules"])
    if account.pooling == "own":
        said = [f"Its own modules after the transformer were kept: {modules}."]
        prompt = f"“{own['prompt']}” precedes every text, as in training" if own["prompt"] else "none is used"
        said += [f"Of its prompts ({listed(own['prompts'])}), {prompt}."] if own["prompts"] else []
    else:
        without = ", and its prompts are not used" if own["prompts"] else ""
        said = [f"Pooling “{account.pooling}” replaces its own modules after the transformer ({modules}){without}."]
    if own["max_length"] not in (None, account.max_length):
        said.append(f"It reads {own['max_length']:,} tokens of a text by itself; here, {account.max_length:,}.")
    return said


def settings(account: Account) -> list[tuple[str, str]]:
    """Return description and value of every setting of the run."""
    recipe = {} if account.run is None else account.run.recipe
    return [(what, str(recipe[key])) for key, what in SETTINGS.items() if recipe.get(key) is not None]


def answer(account: Account) -> Answer:
    """Which model to use, for what, and why."""
    choice = account.choice
    judged = choice.judged.items()
    better = [purpose for purpose, found in judged if found.verdict == "better"]
    if choice.is_kept:
        heading = f"Keep the encoder as it is ({choice.keep})."
    else:
        heading = f"For {listed(better)}, use {choice.label}."
    said = []
    if choice.best is None:
        said.append("No other model was better on the texts that the best one is chosen on.")
    elif choice.is_kept:
        said.append(f"Of the other models, {choice.best} was best on the texts that the best one is chosen on.")
    said += [judgement(account, purpose, found) for purpose, found in judged]
    if choice.is_kept and better:
        said.append(f"If only {better[0]} matters, set `purpose: {better[0]}` (FOR={better[0]}).")
    if judged:
        texts = listed([f"{count(found.n_texts, 'text')} for {purpose}" for purpose, found in judged])
        said.append(f"These numbers are of texts that the model was not chosen on: {texts}.")
    return Answer(heading, not choice.is_kept, said + not_judged(account) + others_better(account))


def judgement(account: Account, purpose: str, found: Judgement) -> str:
    """Describe how the best candidate compares with the encoder for a purpose."""
    label, rows = account.choice.best, account.of_purpose(purpose)
    does = DOES[measures.MEASURES[rows[0]["measure"]].about]
    value, before, low, high = (100 * number for number in (found.value, found.before, found.low, found.high))
    interval = f"95 % confidence interval of the difference: {signed(low)} to {signed(high)} points"
    verdicts = {
        "better": f"For {purpose}, {label} is better",
        "worse": f"For {purpose}, {label} is worse",
        "not distinguishable": f"For {purpose}, no difference can be told",
    }
    return (
        f"{verdicts[found.verdict]}: {label} {does} in {value:.1f} of 100 cases, the encoder as it is in {before:.1f} "
        f"({interval})."
    )


def signed(number: float) -> str:
    """Format a number with its sign and one decimal."""
    return f"{number:+.1f}".replace("-", "−")


def not_judged(account: Account) -> list[str]:
    """Sentences on purposes without evidence, and on weak evidence."""
    known = {row["purpose"] for row in account.rows}
    said = []
    if account.choice.purpose in ("grouping", "both") and "grouping" not in known:
        said.append(
            "Grouping (neighbours, clusters, classifiers) cannot be judged without labels: name a column with classes, "
            "or label a few hundred texts, to have it judged."
        )
        if account.choice.best is not None:
            said.append("To judge it by hand in minutes, run selfembed ask with the config of this study.")
    if any(measures.MEASURES[row["measure"]].about == "found crops" for row in account.of_purpose("search")):
        said.append(
            "Search was judged by passages of the same text, because the texts have no titles. This is weaker evidence "
            "than queries that people wrote: a column with titles, subjects or questions gives better evidence."
        )
    return said


def others_better(account: Account) -> list[str]:
    """Sentences on models that cannot be chosen, such as word counts, where they are better than the encoder."""
    return [
        f"Without a language model, {row['label']} is better than the encoder for {purpose}: {row['sentence']}"
        for purpose in ("search", "grouping")
        for row in account.of_purpose(purpose)
        if not row["is_candidate"] and row["verdict"] == "better"
    ]


def score_table(account: Account) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Headings of columns, and the cells of every model: main scores with differences from the encoder in per cent.

    The encoder is first. The last line is ALWAYS, if accuracies have the score of the largest class.
    """
    rows = account.of_table()
    columns = list(dict.fromkeys((row["purpose"], row["score"], row["measure"]) for row in rows))
    headings = [f"{purpose}: {score_heading(score, measure)}" for purpose, score, measure in columns]
    cells: dict[str, dict] = {account.choice.keep: {}}
    always = {}
    for row in rows:
        place = row["purpose"], row["score"], row["measure"]
        cells[account.choice.keep][place], cells.setdefault(row["label"], {})[place] = in_cells(row)
        if pd.notna(row.get(tables.LARGEST_CLASS)):
            always[place] = format_number(row[tables.LARGEST_CLASS], row["measure"])
    lines = [(label, [found.get(column, "") for column in columns]) for label, found in cells.items()]
    return headings, lines + ([(ALWAYS, [always.get(column, "") for column in columns])] if always else [])


def in_cells(row: dict[str, Any]) -> tuple[str, str]:
    """Score of the reference model, and of the model with the difference and its interval."""
    value, before, *change = (
        format_number(row[name], row["measure"], signed=name.startswith("diff"))
        for name in ("value", "against_value", "difference", "difference_low", "difference_high")
    )
    return before, "{} ({}; {} to {})".format(value, *change)


def export_table(rows: list[dict[str, Any]]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Headings of columns, and the cells of the adapted model and of every export: size, speed, main scores.

    Args:
        rows: comparisons of the exports with the adapted model.
    """
    rows = [row for row in rows if measures.MEASURES[row["measure"]].is_main]
    columns = list(dict.fromkeys((row["score"], row["measure"]) for row in rows))
    cells: dict[str, dict] = {}
    for row in rows:
        place = row["score"], row["measure"]
        before, changed = in_cells(row)
        cells.setdefault(row["against"], facts_of_export(row, "against_"))[place] = before
        cells.setdefault(row["label"], facts_of_export(row))[place] = changed
    headings = ["size", "one vector", "texts per second", *(score_heading(*column) for column in columns)]
    return headings, [(label, list(found.values())) for label, found in cells.items()]


def facts_of_export(row: dict[str, Any], prefix: str = "") -> dict[Any, str]:
    """Sizes and speed of an export or, with the prefix `against_`, of the adapted model."""
    size, vector, speed = (row[prefix + name] for name in ("megabytes", "vector_bytes", "texts_per_second"))
    factor = "" if prefix else f" (× {row['speed']:,.{1 if row['speed'] < 10 else 0}f})"
    return {"size": f"{size:,.1f} MB", "vector": f"{vector:,} bytes", "speed": f"{speed:,.0f}{factor}"}


def score_heading(score: str, measure: str) -> str:
    """Heading of a column of scores."""
    heading, about, *_ = measures.MEASURES[measure]
    return f"{heading} ({score})" if about == "labels" else heading


def limits(account: Account) -> list[str]:
    """Sentences on the limitations of the model and its scores."""
    said = [
        f"It reads the first {account.max_length:,} tokens of a text, roughly {account.max_length * 3 // 4:,} English "
        "words, and ignores the rest."
    ]
    if not account.choice.is_kept:
        said.insert(
            0, f"The model is adapted to {account.corpus}. On other texts it may be worse than the encoder as it came."
        )
    shares = [row.get(tables.LARGEST_CLASS, 0) for row in account.rows if row["measure"] == measures.ACCURACY]
    if unequal := [share for share in shares if share > class_balance.UNEQUAL]:
        said.append(
            f"{max(unequal):.1%} of the labelled test texts are of one class, so accuracies say little: compare the "
            "balanced accuracies, which count every class alike."
        )
    if max(row["n_seeds"] for row in account.rows) < 2:
        said.append("Only one seed was used: confidence intervals do not include the variation between seeds.")
    said.append(
        "The intervals in the table of all models are not corrected for the number of models; those of the answer are "
        "of texts that the model was not chosen on. If no model is better, one is recommended with a probability of at "
        "most 5 %."
    )
    return said


def listed(words: list[str]) -> str:
    """Words joined as in a sentence: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def held_out(counts: dict[str, Any]) -> str:
    """Return a sentence on the texts that pairs were drawn from; `counts` are those of a corpus of pairs."""
    names = next(names for names in HELD_OUT if names.unusable in counts)
    usable = counts["held out"] - counts[names.unusable]
    drawn = "all of them were used" if counts["kept"] == usable else f"{counts['kept']:,} of them were drawn"
    said = f"Of {count(counts['held out'], 'held-out text')}, {usable:,} {names.can_be_used}; {drawn}."
    if twins := counts.get(names.twins):
        said += f" {count(twins, 'text')} {names.twins_have}."
    return said
