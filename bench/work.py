"""The jobs that a study needs, and the work in each: tokens, pairs of vectors, texts.

Sizes come from `sizes.csv` (corpora), `tasks.csv` (MTEB) and `packs.csv` (made by `bench/packs.py`) beside this file.
"""

import csv
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from selfembed.settings.encoders import BagOfWords, RandomEncoder, SvdEncoder, TfidfEncoder
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Linear
from selfembed.study import expansion
from selfembed.study.expansion import Evaluation, Model, Study

# Measured with the tokenizer of all-MiniLM-L6-v2 on 4,443 abstracts of ICLR (bench/packs.py).
CHARACTERS_PER_TOKEN = 5.13
SPECIAL_TOKENS = 2
SENTENCES = 2  # in a pack, where `sizes.csv` counts the pairs

# The shape that rates are measured with, and the width of pretrained encoders by their number of layers (BERT's).
LAYERS, WIDTH = 12, 768
WIDTHS = {12: 768, 24: 1024}
PARAMETERS = LAYERS * 12 * WIDTH**2  # of the layers: 4 × width² in attention, 8 × width² in the two layers after it

ALONE = ", embedding layer alone"  # how work that no layer does is called
BENCHMARK = "MTEB"

Amounts = dict[str, float]  # by kind of work, in the units of `rates.csv`


@dataclass(frozen=True)
class Job:
    """One job of the workflow: its kind, and the path below the folder of this kind."""

    kind: str
    path: str


@dataclass(frozen=True)
class Corpus:
    """Size of a corpus; `characters` of a text on average, `pairs` of packs of two sentences in an epoch."""

    texts: int
    labelled: int
    classes: int
    characters: float
    pairs: float


@dataclass(frozen=True)
class Sizes:
    """Everything that is known about texts."""

    corpora: dict[str, Corpus]
    tasks: dict[str, tuple[int, float]]  # texts and mean characters
    packs: dict[int, tuple[float, float]]  # part of the texts with a pair and tokens of a pack, by sentences


def rows(name: str) -> list[dict[str, str]]:
    """A table beside this script."""
    with open(HERE / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_sizes() -> Sizes:
    """Sizes of corpora, tasks and packs."""
    return Sizes(
        {
            row["corpus"]: Corpus(
                *(int(row[name]) for name in ("texts", "labelled", "classes")),
                *(float(row[name]) for name in ("characters", "pairs")),
            )
            for row in rows("sizes.csv")
        },
        {row["task"]: (int(row["texts"]), float(row["characters"])) for row in rows("tasks.csv")},
        {int(row["sentences"]): (float(row["part"]), float(row["tokens"])) for row in rows("packs.csv")},
    )


def tokens(characters: float, max_length: int) -> float:
    """Tokens of a text of mean length; the true mean is smaller where long texts are cut."""
    return min(characters / CHARACTERS_PER_TOKEN + SPECIAL_TOKENS, max_length)


class Count:
    """The jobs of a study and the work in them."""

    def __init__(self, settings: Settings, study: Study, sizes: Sizes) -> None:
        self.settings = settings
        self.study = study
        self.sizes = sizes

    def jobs(self, experiments: Iterable[str]) -> dict[Job, Amounts]:
        """Every job that some experiments need, each once, with its work."""
        found: dict[Job, Amounts] = {}
        for name in experiments:
            for item in self.study.experiments[name]:
                if item.model.recipe:
                    found[Job("fine-tuning", item.model.path)] = self.fine_tuning(item.model)
                if item.on in self.settings.tasks:
                    found[Job(BENCHMARK, item.path)] = self.benchmark(item)
                    continue
                found[self.embedded(item)] = self.embedding(item)
                kind = "linear probe" if isinstance(self.settings.scores[item.score], Linear) else "kNN"
                found[Job(kind, item.path)] = self.score(item)
            if self.settings.experiments[name].maps:
                for item in expansion.mapped(self.study.experiments[name], self.settings):
                    found[Job("t-SNE", self.embedded(item).path)] = {"t-SNE": self.sizes.corpora[item.on].texts}
        return found

    def shape(self, encoder: str) -> tuple[int, int]:
        """Layers and width of an encoder."""
        found = self.settings.encoders[encoder]
        if isinstance(found, RandomEncoder):
            return found.layers, found.architecture.hidden_size
        if isinstance(found, SvdEncoder):
            return 0, found.components
        return found.layers, WIDTHS.get(found.layers, WIDTH)

    def fine_tuning(self, model: Model) -> Amounts:
        """Tokens of a run, as if the encoder had the measured shape; frozen layers need a third: the way forward."""
        recipe = self.study.recipes[model.recipe]
        part, length = self.sizes.packs[recipe.augmentation.sentences]
        pairs = self.sizes.corpora[model.corpus].pairs * part / self.sizes.packs[SENTENCES][0] * (1 - recipe.held_out)
        seen = pairs * recipe.epochs * 2 * length
        layers, width = self.shape(model.encoder)
        if not layers:
            return {"fine-tuning" + ALONE: seen, "program start": 1}
        unfrozen = layers if recipe.unfrozen_layers is None else recipe.unfrozen_layers
        trained = (1 + 2 * unfrozen / layers) / 3
        return {"fine-tuning": seen * trained * relative(layers, width), "program start": 1}

    def embedded(self, item: Evaluation) -> Job:
        """The embeddings that a score is of; a corpus with other labels shares them."""
        bag = isinstance(self.settings.encoders[item.model.encoder], BagOfWords)
        kind = "TF-IDF and SVD" if bag else "embedding"
        texts = expansion.texts_of(item.on, self.settings)
        return Job(kind, f"{texts}/{item.model.path}/{item.step}/{item.selection}")

    def embedding(self, item: Evaluation) -> Amounts:
        """Tokens of a pass over a corpus, whatever the layers and poolings kept; characters for bags of words."""
        corpus = self.sizes.corpora[item.on]
        encoder = self.settings.encoders[item.model.encoder]
        if isinstance(encoder, BagOfWords):
            name = "TF-IDF" if isinstance(encoder, TfidfEncoder) else "SVD"
            return {name: corpus.texts * corpus.characters}
        read = corpus.texts * tokens(corpus.characters, encoder.max_length)
        return self.forward(read, *self.shape(item.model.encoder))

    def forward(self, read: float, layers: int, width: int) -> Amounts:
        """The way forward of some tokens through some layers."""
        work = {"embedding": read * relative(layers, width)} if layers else {"embedding" + ALONE: read}
        return work | {"program start": 1}

    def benchmark(self, item: Evaluation) -> Amounts:
        """Tokens of the texts of a task, through a model cut above the layer."""
        n_texts, characters = self.sizes.tasks[item.on]
        _, layer, max_length, _ = item.selection.split("_")
        width = self.shape(item.model.encoder)[1]
        return self.forward(n_texts * tokens(characters, int(max_length)), int(layer), width)

    def score(self, item: Evaluation) -> Amounts:
        """Work of a score for every layer and pooling of a selection."""
        score = self.settings.scores[item.score]
        corpus = self.sizes.corpora[item.on]
        test = corpus.labelled * score.test_fraction
        train = corpus.labelled - test
        if isinstance(self.settings.encoders[item.model.encoder], TfidfEncoder):
            return {"kNN of TF-IDF": test * train}
        layers, width = self.shape(item.model.encoder)
        representations = math.prod(map(len, expansion.selected(item.selection, layers)))
        if isinstance(score, Linear):
            return {"linear probe": representations * train * width * corpus.classes}
        return {"kNN": representations * test * train * width}


def relative(layers: int, width: int) -> float:
    """How much more work a token is in an encoder than in the measured one."""
    return layers * width**2 / (LAYERS * WIDTH**2)
