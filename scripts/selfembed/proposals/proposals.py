"""Choice of settings for adapting an encoder to texts: limits of crops, epochs, batch size, held-out texts.

`proposed_config` writes these settings as a config.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from selfembed.augmentations.crops import positions_kept
from selfembed.errors import InputError, reword_errors
from selfembed.jobs.options import defaults
from selfembed.proposals import hub_texts
from selfembed.proposals.base_encoder import MINILM, Encoder, check_script
from selfembed.proposals.crop_limits import (
    LEAST_TEXTS,
    PAPER,
    REPEATED,
    Limits,
    best_limits,
    examples,
    part_held_out,
    spread,
)
from selfembed.settings.corpora import Columns, Corpus
from selfembed.texts import corpora, groups, sentences, sources
from selfembed.texts.columns import LEAST_IN_CLASS

SEED = 42
SURE_SEEDS = (42, 23, 12)  # with --sure
SAMPLE_SEED = 42
MOST_TEXTS = 100_000  # more take hours and add little: most of the gain comes within hundreds of steps
MOST_SEARCHED = 500  # held-out texts that search is judged on: the standard error of a recall is then up to 2 points
LEAST_GROUPS = 2  # of two training texts; texts of other groups are the negatives
LEAST_STEPS = 20  # a strong encoder gains little by more (docs/evidence.md)
MOST_EPOCHS = 5
LONG_TRAINING = 100  # steps; from here on, training ends when the loss of validation pairs no longer falls
SMALL = 2000  # with fewer training texts, the batch size is 32
LONGEST_TRAINED = 128  # tokens of a text in training
LEAST_TITLE = 8  # letters of a title that says something about its text; at least half of the texts have one
MANY_TEXTS = 5000  # with more texts to train on, fewer interpolated models are compared, because each is embedded with
STEPS = {"interpolated-0.25": "¼", "interpolated-0.5": "½", "interpolated-0.75": "¾", "final": ""}
FEW = ("interpolated-0.5", "final")
CAREFUL = ("interpolated-0.25", "interpolated-0.5")  # steps that hardly harm what is not judged (docs/evidence.md)
CPU = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Proposal:
    """Contents of a proposed config."""

    folder: str
    source: dict[str, Any]
    n_texts: int
    n_usable: int
    n_held_out: int  # of the usable texts
    held_out: float
    sentences: str = "unicode"
    repeated: float = 0.0  # share of the sentences
    terms: str = "words"  # that TF-IDF counts
    crops: tuple[str, ...] = ()  # examples
    limits: Limits = PAPER
    encoder: Encoder = MINILM
    purpose: str = "both"
    titled: bool = False  # titles find their texts
    n_grouped: int = 0  # training texts with another one of their group
    seeds: tuple[int, ...] = (SEED,)
    batch_size: int = 64
    epochs: int = 1
    precision: str = "fp32"
    sample: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def texts(self) -> str:
        """Path of the texts, or their data set on the hub."""
        return self.source.get("path") or f"hf://{self.source['id']}"

    @property
    def labelled(self) -> bool:
        return self.source.get("label") is not None

    @property
    def recipes(self) -> tuple[str, ...]:
        """The recipes to compare, the most promising first."""
        usable = {"titles": self.titled, "crops": True, "groups": self.n_grouped > 0}
        return tuple(recipe for recipe, can_be_used in usable.items() if can_be_used)

    @property
    def steps(self) -> dict[str, str]:
        """The steps to compare, and what labels add for them.

        If grouping matters but cannot be judged, because there are no labels, only careful steps.
        """
        chosen = tuple(STEPS)
        if self.purpose != "search" and not self.labelled:
            chosen = CAREFUL
        elif self.n_trained > MANY_TEXTS:
            chosen = FEW
        return {step: STEPS[step] for step in chosen}

    @property
    def stops_early(self) -> bool:
        """Whether training may end early, because it is long."""
        return self.epochs * self.steps_in_an_epoch >= LONG_TRAINING

    @property
    def n_trained(self) -> int:
        return self.n_usable - self.n_held_out

    @property
    def steps_in_an_epoch(self) -> int:
        return math.ceil(self.n_trained / self.batch_size)


def propose(
    folder: str,
    path: Path | str,
    text: str | None = None,
    label: str | None = None,
    title: str | None = None,
    group: str | None = None,
    encoding: str | None = None,
    subset: str | None = None,
    split: str | None = None,
    encoder: Encoder = MINILM,
    purpose: str = "both",
    seeds: tuple[int, ...] = (SEED,),
    most_texts: int = MOST_TEXTS,
) -> Proposal:
    """Read texts and choose settings for adapting an encoder to them.

    Args:
        folder: name of the study; its results are in `results/{folder}/`.
        path: file, folder of .txt or .md files, or data set on the hub (`hf://owner/name`).
        text, label, title: column names; columns of texts and titles are detected by default.
        group: name of the column that says which texts belong together.
        encoding: encoding of files that are not UTF-8; guessed by default.
        subset, split: part of a data set on the hub; by default, the default subset and the split `train`.
        purpose: what the model is for: `search`, `grouping` or `both`.
        most_texts: maximum number of texts; of more, a random sample is used.

    Raises InputError if the texts cannot be read, if there are too few long enough for training and evaluation, or if
    the encoder does not know their script.
    """
    names = sources.ColumnNames(text, label, title, group)
    if isinstance(path, str):
        source, raw, notes = hub_texts.look_at(path, names, subset, split)
    elif subset or split:
        raise InputError(
            f"{path}: SUBSET and SPLIT are parts of a data set on the hub; expected: TEXTS=hf://owner/name"
        )
    else:
        source, raw, notes = sources.look_at(path, names, encoding)
    tried = spread(raw["text"].dropna()).astype(str).tolist()
    way = sentences.propose_way(tried)
    corpus, counts = clean(path, raw, label, way)
    repeated = counts["sentences, repeated"] / max(1, counts["sentences"])
    sample = most_texts if len(corpus) > most_texts else None
    shown = corpora.sample(corpus, sample, SAMPLE_SEED) if sample else corpus
    limits = best_limits(shown["sentences"])
    usable = limits.usable(shown["sentences"])
    held_out, n_held_out = part_held_out(path, usable, limits, way, repeated)
    notes += check_script(path, encoder, tried)
    found = Proposal(
        folder=folder,
        source=source,
        n_texts=len(shown),
        n_usable=int(usable.sum()),
        n_held_out=n_held_out,
        held_out=held_out,
        sentences=way,
        repeated=repeated,
        terms="unicode_words" if sentences.needs_dictionary(tried) else "words",
        crops=tuple(examples(shown["sentences"][usable], limits)),
        limits=limits,
        encoder=encoder,
        purpose=purpose,
        titled=are_titles(shown["title"], shown["text"]),
        n_grouped=texts_in_groups(path, shown, group, held_out) if group else 0,
        seeds=seeds,
        precision="bf16" if multiplies_bf16() else "fp32",
        sample=sample,
        notes=tuple(notes),
    )
    found = replace(found, batch_size=32 if found.n_trained < SMALL else 64)
    return replace(found, epochs=min(MOST_EPOCHS, math.ceil(LEAST_STEPS / found.steps_in_an_epoch)))


def multiplies_bf16() -> bool:
    """Whether this machine has a GPU with bf16, or a CPU with matrix instructions for bf16: both are faster."""
    import torch

    from selfembed.embeddings.precision import has_bf16

    if torch.cuda.is_available():
        return has_bf16()
    return CPU.is_file() and "amx_bf16" in CPU.read_text(encoding="utf-8", errors="replace").split()


def are_titles(titles: pd.Series, texts: pd.Series) -> bool:
    """Whether half of the texts have a title of their own that is long enough to tell what they are about.

    A title that is the same as that of another text, or as its text, does not count.
    """
    plain = titles.fillna("").astype(str).str.strip()
    letters = plain.str.count(r"[^\W\d_]")
    usable = (letters >= LEAST_TITLE) & ~plain.duplicated(keep=False) & (plain != texts.str.strip())
    return bool(usable.mean() >= 0.5)


def texts_in_groups(path: Path | str, corpus: pd.DataFrame, group: str, held_out: float) -> int:
    """Return the number of training texts that share their group with another training text.

    Args:
        group: name of the column in the source.

    Raises InputError if there are fewer than two groups of two such texts, as when all texts have the same value.
    """
    counts = groups.summary(corpus.iloc[positions_kept(len(corpus), held_out)])
    found = counts["groups"]
    if found < LEAST_GROUPS:
        raise InputError(
            f"{path}: '{group}' has {found} value{'' if found == 1 else 's'} that two training texts or more share; "
            f"expected: a column with {LEAST_GROUPS} such values or more, or none"
        )
    return counts["texts with another one"]


def clean(path: Path | str, raw: pd.DataFrame, label: str | None, way: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Clean and split the texts as for a corpus; return it with the numbers of rows and sentences.

    Raises InputError if there are too few texts, or fewer than two classes.
    """
    with reword_errors(path, InputError):
        cleaning = defaults(Columns, "unlabelled") | defaults(Corpus, "minimum_length", "deduplicate")
        cleaning |= {"sentences": way, "drop_repeated": REPEATED}
        corpus, counts = corpora.prepare(raw, minimum_label_count=LEAST_IN_CLASS if label else 1, **cleaning)
    where_to = {name: counts[name] for name in ("read", "empty", "duplicate")}
    if len(corpus) < LEAST_TEXTS:
        different = f"{len(corpus)} different text{'' if len(corpus) == 1 else 's'} ({corpora.summary(where_to)})"
        raise InputError(f"{path}: {different}; expected: at least {LEAST_TEXTS}, half for training, half held out")
    if label and counts["classes"] < 2:
        raise InputError(
            f"{path}: '{label}' has {counts['classes']} values with {LEAST_IN_CLASS} texts or more; expected: a column "
            "with two classes or more, or none"
        )
    return corpus, counts
