"""The jobs that a study needs, and the work in each: tokens, pairs of vectors, texts."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from selfembed.costs import sizes
from selfembed.costs.sizes import (
    CHARACTERS_PER_TOKEN,
    PREDICTION,
    RERANKING,
    SENTENCES,
    SPECIAL_TOKENS,
    TITLE_CHARACTERS,
    WIDTH,
    Amounts,
    Corpus,
    Shape,
    Sizes,
)
from selfembed.settings.base import Packs
from selfembed.settings.encoders import BagOfWords, TfidfEncoder
from selfembed.settings.recipes import Recipe, Titles
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Linear
from selfembed.study import adapted, expansion
from selfembed.study.expansion import BENCHMARK, Evaluation, Model, Study

# The shape that rates are measured with: layers, and WIDTH.
LAYERS = 12
PARAMETERS = LAYERS * 12 * WIDTH**2  # of the layers: 4 × width² in attention, 8 × width² in the two layers after it

ALONE = ", embedding layer alone"  # how work that no layer does is called
FINE_TUNING, EMBEDDING, MTEB, EVALUATION = "fine-tuning", "embedding", "MTEB", "evaluation by mteb"
KNN, PROBE, TSNE, BAGS = "kNN", "linear probe", "t-SNE", "TF-IDF and SVD"
START, CONTEXT = "program start", "GPU context"
ON_GPU = (FINE_TUNING, EMBEDDING, MTEB, START, CONTEXT)
ON_CPU = (EVALUATION, KNN, PROBE, TSNE, BAGS)


@dataclass(frozen=True)
class Job:
    """One job of the workflow: its kind, and the path below the folder of this kind.

    The evaluation of vectors by mteb is a job of its own here, because it needs no GPU.
    """

    kind: str
    path: str
    precision: str = "fp32"


def tokens(characters: float, max_length: int) -> float:
    """Tokens of a text of mean length; the true mean is smaller where long texts are cut."""
    return min(characters / CHARACTERS_PER_TOKEN + SPECIAL_TOKENS, max_length)


class Count:
    """The jobs of a study and the work in them; jobs on texts of unknown number have no work."""

    def __init__(self, settings: Settings, study: Study, known: Sizes, results: Path | None = None) -> None:
        self.settings = settings
        self.study = study
        self.known = known
        self.shapes = {name: sizes.shape(name, settings, results) for name in settings.encoders}

    @classmethod
    def here(cls, settings: Settings, study: Study) -> "Count":
        """Count with the sizes of corpora and encoders that are in the results folder of the working directory."""
        results = Path("results", settings.folder)
        return cls(settings, study, sizes.of(settings, results), results)

    @property
    def unknown(self) -> list[str]:
        """Corpora and tasks of unknown size, whose jobs are not counted."""
        groups = ((self.settings.corpora, self.known.corpora), (self.settings.tasks, self.known.tasks))
        return [name for all_of, known in groups for name in all_of if name not in known]

    def is_known(self, item: Evaluation) -> bool:
        """Whether the sizes of the texts that a model is trained and evaluated on are known."""
        names = {item.on, item.model.corpus} - {None}
        return all(name in self.known.corpora or name in self.known.tasks for name in names)

    def jobs(self, experiments: Iterable[str]) -> dict[Job, Amounts]:
        """Every job that some experiments need, each once, with its work."""
        items = [item for name in experiments for item in self.study.experiments[name]]
        found = {self.run(item.model): self.fine_tuning(item.model) for item in items if item.model.recipe}
        found |= self.benchmarks([item for item in items if item.on in self.settings.tasks])
        for item in items:
            if item.on in self.settings.corpora:
                found[self.embedded(item)] = self.embedding(item)
                if item.score:
                    linear = isinstance(self.settings.scores[item.score], Linear)
                    found[Job(PROBE if linear else KNN, item.path)] = self.score(item)
        for name in experiments:
            if self.settings.experiments[name].maps:
                for item in expansion.mapped(self.study.experiments[name], self.settings):
                    corpus = self.known.corpora.get(item.on)
                    found[Job(TSNE, self.embedded(item).path)] = {TSNE: corpus.texts} if corpus else {}
        return found

    def exports(self) -> dict[Job, Amounts]:
        """The jobs that embed what a report is scored on with the adapted model and with each of its exports.

        As if every export were as slow as the encoder that the report keeps; static ones are much faster.
        """
        report = self.settings.report
        if report is None or not report.exports:
            return {}
        model = next(
            item for item in adapted.candidates(report, self.settings, self.study) if item.line.label == report.keep
        )
        names = ["adapted_model", *report.exports]
        return {
            Job(EMBEDDING, f"{corpus}/exports/{name}/final/own_last"): self.embedding(replace(model, on=corpus))
            for corpus in adapted.scored_on(report, self.settings, self.study)
            for name in names
        }

    def run(self, model: Model) -> Job:
        return Job(FINE_TUNING, model.path, self.study.recipes[model.recipe or ""].precision)

    def start(self, jobs: int = 1) -> Amounts:
        """What jobs with an encoder need before they work."""
        return {CONTEXT: jobs}

    def fine_tuning(self, model: Model) -> Amounts:
        """Tokens of a run, as if the encoder had the measured shape.

        Frozen layers need a third: the way forward. A guide adds a third of all layers, its own way forward.
        """
        corpus = self.known.corpora.get(model.corpus or "")
        if corpus is None:
            return self.start()
        recipe = self.study.recipes[model.recipe or ""]
        _, length = self.pack(recipe)
        if not isinstance(recipe.augmentation, Packs):  # halves and whole texts
            length = tokens(corpus.characters, recipe.max_length)
        if isinstance(recipe.augmentation, Titles):  # the mean of both sides
            length = (length + tokens(TITLE_CHARACTERS, recipe.max_length)) / 2
        seen = self.pairs(corpus, recipe) * 2 * length
        shape = self.shapes[model.encoder]
        guide = recipe.guide / 3
        if not shape.layers:
            return {FINE_TUNING + ALONE: seen * (1 + guide)} | self.start()
        unfrozen = shape.layers if recipe.unfrozen_layers is None else recipe.unfrozen_layers
        trained = (1 + 2 * unfrozen / shape.layers) / 3 + guide
        return {FINE_TUNING: seen * trained * relative(shape)} | self.start()

    def pack(self, recipe: Recipe) -> tuple[float, float]:
        """Part of the texts with a pair, and tokens of a pack; of the most sentences known, if a pack has more."""
        sentences = recipe.augmentation.sentences if isinstance(recipe.augmentation, Packs) else SENTENCES
        return self.known.packs[min(sentences, max(self.known.packs))]

    def pairs(self, corpus: Corpus, recipe: Recipe) -> float:
        """Number of pairs in all epochs of a run."""
        part, _ = self.pack(recipe)
        in_epoch = corpus.pairs * part / self.known.packs[SENTENCES][0] * (1 - recipe.held_out)
        return in_epoch * recipe.epochs

    def embedded(self, item: Evaluation) -> Job:
        """The embeddings that a score is of; a corpus with other labels shares them."""
        bag = isinstance(self.settings.encoders[item.model.encoder], BagOfWords)
        path = replace(item, on=expansion.texts_of(item.on, self.settings)).embeddings
        return Job(BAGS, path) if bag else Job(EMBEDDING, path, self.settings.embedding.precision)

    def embedding(self, item: Evaluation) -> Amounts:
        """Tokens of a pass over a corpus, whatever the layers and poolings kept; characters for bags of words."""
        corpus = self.known.corpora.get(item.on)
        encoder = self.settings.encoders[item.model.encoder]
        if isinstance(encoder, BagOfWords):
            name = "TF-IDF" if isinstance(encoder, TfidfEncoder) else "SVD"
            return {name: corpus.texts * corpus.characters} if corpus else {}
        read = corpus.texts * tokens(corpus.characters, encoder.max_length) if corpus else 0
        return self.forward(read, self.shapes[item.model.encoder]) | self.start(self.embedding_jobs(item))

    def embedding_jobs(self, item: Evaluation) -> int:
        """Number of jobs that embed the texts of a corpus; more than one make parts, which are merged."""
        if isinstance(self.settings.encoders[item.model.encoder], BagOfWords):
            return 1
        return self.settings.corpora[expansion.texts_of(item.on, self.settings)].embedding_jobs

    def forward(self, read: float, shape: Shape, layers: int | None = None) -> Amounts:
        """The way forward of some tokens through all layers of an encoder, or through the first ones."""
        layers = shape.layers if layers is None else layers
        return {EMBEDDING: read * relative(shape, layers)} if layers else {EMBEDDING + ALONE: read}

    def benchmarks(self, items: list[Evaluation]) -> dict[Job, Amounts]:
        """The jobs that embed the texts of tasks, and the evaluations of their vectors by mteb."""
        highest: dict[tuple[Job, str, str, int], int] = {}  # layer, by job, task, encoder and maximum length
        found: dict[Job, Amounts] = {}
        for item in items:
            found[Job(EVALUATION, item.path.removeprefix(f"{BENCHMARK}/"))] = self.evaluation(item)
            _, layer, max_length, _ = item.selection.split("_")
            key = self.benchmark(item), item.on, item.model.encoder, int(max_length)
            highest[key] = max(highest.get(key, 0), int(layer))
        for (job, on, encoder, max_length), layer in highest.items():
            amounts = found.setdefault(job, self.start())
            if task := self.known.tasks.get(on):
                read = task.different * tokens(task.characters, max_length)
                work = self.forward(read, self.shapes[encoder], layer)
                found[job] = {name: amounts.get(name, 0) + work.get(name, 0) for name in amounts | work}
        return found

    def benchmark(self, item: Evaluation) -> Job:
        """The job that scores a model at a step, with a maximum length, on all tasks."""
        return Job(MTEB, item.job.removeprefix(f"{BENCHMARK}/"), self.settings.mteb.precision)

    def evaluation(self, item: Evaluation) -> Amounts:
        """Work of mteb for one score."""
        task, width = self.known.tasks.get(item.on), self.shapes[item.model.encoder].width
        work = task.evaluation if task else {}
        return {name: amount * (1 if name in (RERANKING, PREDICTION) else width) for name, amount in work.items()}

    def score(self, item: Evaluation) -> Amounts:
        """Work of a score for every layer and pooling of a selection."""
        corpus = self.known.corpora.get(item.on)
        if corpus is None:
            return {}
        score = self.settings.scores[item.score or ""]
        encoder = self.settings.encoders[item.model.encoder]
        shape = self.shapes[item.model.encoder]
        representations = math.prod(map(len, expansion.selected(item.selection, encoder.layers)))
        fraction = getattr(score, "test_fraction", None)
        if fraction is None:  # pairs: half of the rows are candidates of each query
            return {KNN: representations * (corpus.texts / 2) ** 2 * shape.width}
        test = corpus.labelled * fraction
        train = corpus.labelled - test
        if isinstance(encoder, TfidfEncoder):
            return {"kNN of TF-IDF": test * train}
        if isinstance(score, Linear):
            return {PROBE: representations * train * shape.width * corpus.classes}
        return {KNN: representations * test * train * shape.width}


def relative(shape: Shape, layers: int | None = None) -> float:
    """How much more work a token is in an encoder, or in its first layers, than in the measured one."""
    return (shape.layers if layers is None else layers) * shape.width**2 / (LAYERS * WIDTH**2)
