"""The schema of `config.yaml`: every key, its type, its default and its meaning.

The single source of defaults, of `docs/configuration.md` and of the JSON schema (see `documentation.py`).
All models are closed: an unknown key is an error. Combinations of keys are checked in `validation.py`.
"""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
Text = Annotated[str, StringConstraints(pattern=r"^[^-]")]  # a leading hyphen would be read as an option
LocalPath = Annotated[str, StringConstraints(pattern=r"^[^-{}<>][^{}<>]*$")]  # {} and <> mean something to Snakemake
Pooling = Literal["mean", "cls", "last", "token7"]
SHORTEST_WITH_TOKEN7 = 8  # tokens; token7 is the token at index 7
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class Closed(BaseModel):
    """A model that refuses unknown keys and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


# Corpora ------------------------------------------------------------------------------------------------------


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


class Columns(Closed):
    """Which columns of a table hold what."""

    text: Text = Field("text", description="Column with the texts.")
    label: Text | None = Field(None, description="Column with the class labels; without it the corpus is unlabelled.")
    title: Text | None = Field(None, description="Column with a short title for each text.")
    id: Text | None = Field(
        None, description="Column with ids, unique unless duplicates are kept; by default hashes of the texts."
    )
    keywords: Text | None = Field(
        None, description="Column with keywords; labels then follow from them by the rules in `keyword_classes`."
    )
    keyword_classes: LocalPath | None = Field(
        None, description="Table of keywords with their frequency and class, such as `reference/iclr_keywords.csv`."
    )
    unlabelled: list[Text] = Field(
        default_factory=list, description="Values of the label column that mean 'no label' (empty cells always do)."
    )

    @model_validator(mode="after")
    def one_origin_of_labels(self):
        """Labels are read or follow from keywords."""
        if (self.keywords is None) != (self.keyword_classes is None):
            raise ValueError("keywords and keyword_classes belong together; allowed: both or neither")
        if self.keywords and self.label:
            raise ValueError("label and keywords both give labels; allowed: one of them")
        return self

    @property
    def labelled(self) -> bool:
        """Whether texts get labels."""
        return bool(self.label or self.keywords)


FileFormat = Literal["csv", "tsv", "jsonl", "parquet"]


class FileSource(Columns):
    """Texts in a file of one's own."""

    type: Literal["file"]
    path: LocalPath = Field(description="The file; relative paths start at the working directory.")
    format: FileFormat | None = Field(None, description="File format; by default taken from the file's ending.")


class UrlSource(Columns):
    """Texts in a file on the web, with a checksum."""

    type: Literal["url"]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s{}<>]+$")] = Field(description="Address of the file.")
    sha256: Sha256 | None = Field(None, description="SHA-256 of the file; this or `git_blob` is needed.")
    git_blob: Commit | None = Field(None, description="Git blob id of the file, if it lies in a git repository.")
    format: FileFormat = Field(description="File format.")

    @model_validator(mode="after")
    def one_checksum(self):
        """A file from the web is checked."""
        if (self.sha256 is None) == (self.git_blob is None):
            raise ValueError("a file from the web is checked by one checksum; allowed: sha256 or git_blob")
        return self


class IclrSource(Closed):
    """The paper's main corpus: abstracts of ICLR submissions, labelled by their keywords."""

    type: Literal["iclr"]
    version: Literal["24v1", "24v2"] = Field(
        "24v1", description="Version of the data set: `24v1` is the paper's (24,347 texts), `24v2` has 24,445."
    )
    labelled: ClassVar[bool] = True

    @property
    def resolved(self) -> UrlSource:
        """The file at a fixed commit of the data set's repository, and its columns."""
        commit, name, git_blob = ICLR_VERSIONS[self.version]
        return UrlSource(
            type="url",
            url=f"https://raw.githubusercontent.com/berenslab/iclr-dataset/{commit}/data/{name}",
            git_blob=git_blob,
            format="parquet",
            text="abstract",
            title="title",
            label="labels",
            id="id",
            unlabelled=["unlabeled"],
        )


# Commit, file and git blob id of each version.
ICLR_VERSIONS = {
    "24v1": (
        "37df25fa306c0cd97f023f11741f2d350e1de730",
        "iclr24v1.parquet.gzip",
        "44f0e6cd835c4606084e38d907cf37c085c01209",
    ),
    "24v2": ("main", "iclr24v2.parquet", "5e83bbe68e0e93286fdfa18ccdaedd8c0b5fae48"),
}


class HubSource(Closed):
    """A data set of the Hugging Face hub at a fixed revision; list cells are concatenated in order."""

    type: Literal["hub"]
    id: str = Field(min_length=1, description="Repository, for instance `mteb/biorxiv-clustering-p2p`.")
    revision: Commit = Field(description="Full commit hash, so that the texts can never change.")
    split: Text = Field("test", description="Split of the data set.")
    text: Text = Field("sentences", description="Column with the texts, or with lists of texts.")
    label: Text = Field("labels", description="Column with the labels, or with lists of labels.")
    labelled: ClassVar[bool] = True


class RelabelledSource(Closed):
    """The texts of another corpus with coarser labels; they are embedded once for both."""

    type: Literal["relabelled"]
    corpus: Name = Field(description="The other corpus.")
    up_to: Text = Field(".", description="Labels are cut before the first of these.")


class SampleSource(Closed):
    """A fixed random sample of another corpus."""

    type: Literal["sample"]
    corpus: Name = Field(description="The other corpus.")
    size: int = Field(ge=1, description="Number of texts.")
    seed: int = Field(42, ge=0, description="Seed of the draw.")


class PythonDocsSource(Closed):
    """Docstrings of installed Python packages, read from source: real texts with labels, offline."""

    type: Literal["python_docs"]
    packages: list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = Field(
        default=["sympy", "scipy", "torch", "networkx", "sklearn", "pandas", "numpy", "matplotlib"],
        min_length=1,
        description="Import names of the packages to read.",
    )

    labelled: ClassVar[bool] = True


class Corpus(Closed):
    """A table of texts: `id`, `text`, `label` (may be missing), `title` (may be missing)."""

    source: FileSource | UrlSource | IclrSource | HubSource | PythonDocsSource | RelabelledSource | SampleSource = (
        Field(discriminator="type", description="Where the texts come from.")
    )
    minimum_length: int = Field(1, ge=1, description="Shorter texts (in characters) are dropped.")
    minimum_label_count: int = Field(1, ge=1, description="Labels with fewer texts become 'no label'.")
    deduplicate: bool = Field(True, description="Keep only the first of identical texts.")
    seeds: Seeds | None = Field(
        None,
        description="Instead of the study's seeds, for models scored on it (large corpora cost much).",
    )


DERIVED = (RelabelledSource, SampleSource)


# Encoders -----------------------------------------------------------------------------------------------------

MaxLength = Annotated[int, Field(512, ge=3, description="Texts are truncated to this many tokens when embedded.")]
Layers = Annotated[
    int, Field(ge=1, description="Number of transformer layers; checked against the weights when they are fetched.")
]


class HubEncoder(Closed):
    """A pretrained checkpoint on the Hugging Face hub."""

    type: Literal["hub"]
    id: str = Field(min_length=1, description="Repository, for instance `microsoft/mpnet-base`.")
    revision: Commit = Field(description="Full commit hash, so that the weights can never change.")
    layers: Layers
    max_length: MaxLength = 512


class FolderEncoder(Closed):
    """A pretrained checkpoint in a local folder (transformers or sentence-transformers format)."""

    type: Literal["folder"]
    path: LocalPath = Field(description="The folder; relative paths start at the working directory.")
    sha256: Sha256 | None = Field(None, description="SHA-256 of `model.safetensors`; checked if given.")
    layers: Layers
    max_length: MaxLength = 512


class PackageEncoder(Closed):
    """A pretrained checkpoint that an installed Python package carries."""

    type: Literal["package"]
    package: str = Field(min_length=1, description="Import name of the package.")
    folder: str = Field(min_length=1, description="Folder of the weights inside the package.")
    sha256: Sha256 = Field(description="SHA-256 of `model.safetensors`.")
    layers: Layers
    max_length: MaxLength = 512


class Architecture(Closed):
    """The shape of a BERT encoder; the defaults are BERT-base."""

    layers: int = Field(12, ge=1, description="Number of transformer layers.")
    hidden_size: int = Field(768, ge=1, description="Width of the token vectors.")
    attention_heads: int = Field(12, ge=1, description="Attention heads per layer; must divide `hidden_size`.")
    intermediate_size: int = Field(3072, ge=1, description="Width of the feed-forward layers.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Dropout probability of hidden states and attention.")

    @model_validator(mode="after")
    def heads_divide_width(self):
        """Attention splits the token vector evenly among its heads."""
        if self.hidden_size % self.attention_heads:
            raise ValueError(
                f"attention_heads {self.attention_heads} does not divide hidden_size {self.hidden_size}; "
                "allowed: a divisor"
            )
        return self


class TrainedTokenizer(Closed):
    """A lower-casing byte-level BPE tokenizer trained on one of the corpora."""

    train_on: Name = Field(description="Corpus whose texts it is trained on.")
    vocabulary_size: int = Field(30522, ge=300, description="Number of tokens (BERT: 30522).")


class BorrowedTokenizer(Closed):
    """The tokenizer of another encoder."""

    borrow_from: Name = Field(description="Encoder (hub, folder or package) whose tokenizer is used.")


def _kind_of_tokenizer(value: Any) -> str | None:
    """Name of the group that a tokenizer's keys belong to, so that its problems are told once."""
    keys = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    if "train_on" in keys:
        return "TrainedTokenizer"
    return "BorrowedTokenizer" if "borrow_from" in keys else None


Tokenizer = Annotated[
    Annotated[TrainedTokenizer, Tag("TrainedTokenizer")] | Annotated[BorrowedTokenizer, Tag("BorrowedTokenizer")],
    Discriminator(
        _kind_of_tokenizer,
        custom_error_type="tokenizer",
        custom_error_message="Input should be a group with the key `train_on` or `borrow_from`",
    ),
]


class RandomEncoder(Closed):
    """A randomly initialised BERT (weights from N(0, 0.02²)); the run's seed decides its weights."""

    type: Literal["random"]
    architecture: Architecture = Field(default_factory=Architecture, description="Shape of the encoder.")
    tokenizer: Tokenizer = Field(description="`train_on` a corpus or `borrow_from` an encoder.")
    max_length: MaxLength = 512

    @property
    def layers(self) -> int:
        """Number of transformer layers."""
        return self.architecture.layers


class EmbeddingLayerEncoder(Closed):
    """The token-embedding matrix of another encoder alone: lookup and mean, no positions, no dropout."""

    type: Literal["embedding_layer"]
    of: Name = Field(description="The other encoder, pretrained or random.")
    max_length: MaxLength = 512
    layers: ClassVar[int] = 0


class EmbeddingModuleEncoder(Closed):
    """The embedding module of another encoder alone: tokens, positions, normalisation, dropout; no layers."""

    type: Literal["embedding_module"]
    of: Name = Field(description="The other encoder, pretrained or random.")
    max_length: MaxLength = 512
    layers: ClassVar[int] = 0


class TfidfEncoder(Closed):
    """Bag of words: TF-IDF with sublinear term frequency, fitted on the whole corpus."""

    type: Literal["tfidf"]


class SvdEncoder(Closed):
    """Bag of words: truncated SVD of TF-IDF, fitted on the whole corpus."""

    type: Literal["svd"]
    components: int = Field(100, ge=1, description="Number of singular vectors kept.")
    normalise: bool = Field(False, description="Scale every text's vector to unit length.")


EMBEDDINGS_ALONE = (EmbeddingLayerEncoder, EmbeddingModuleEncoder)
BAGS_OF_WORDS = (TfidfEncoder, SvdEncoder)
FETCHED = (HubEncoder, FolderEncoder, PackageEncoder)
Encoder = (
    HubEncoder
    | FolderEncoder
    | PackageEncoder
    | RandomEncoder
    | EmbeddingLayerEncoder
    | EmbeddingModuleEncoder
    | TfidfEncoder
    | SvdEncoder
)


# Recipes ------------------------------------------------------------------------------------------------------


class Masked(Closed):
    """What every augmentation can add: masked tokens."""

    mask_fraction: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Part of the tokens of each text of a pair that the encoder's mask token replaces, "
        "for both texts independently.",
    )


class Packs(Masked):
    """Packs of consecutive sentences, from which pairs are made."""

    sentences: int = Field(2, ge=1, description="Sentences in a pack.")
    minimum_length: int = Field(100, ge=0, description="Shortest eligible sentence, in characters.")
    maximum_length: int = Field(250, ge=1, description="Longest eligible sentence, in characters.")

    @model_validator(mode="after")
    def lengths_in_order(self):
        """The shortest eligible sentence cannot be longer than the longest."""
        if self.minimum_length > self.maximum_length:
            raise ValueError(
                f"minimum_length {self.minimum_length} is above maximum_length {self.maximum_length}; "
                f"allowed: at most {self.maximum_length}"
            )
        return self


class Crops(Packs):
    """Positive pair: two different packs of the same text."""

    type: Literal["crops"]


class Dropout(Packs):
    """Positive pair: one pack twice; the two embeddings differ through the encoder's dropout alone."""

    type: Literal["dropout"]


class Halves(Masked):
    """Positive pair: the first and the second half of a text's sentences, whatever their length."""

    type: Literal["halves"]


class WholeText(Masked):
    """Positive pair: the whole text twice; the two differ through dropout, and through masks if there are any."""

    type: Literal["whole_text"]


def _from_name(value: Any) -> Any:
    """Let `augmentation: crops` stand for `augmentation: {type: crops}`."""
    return {"type": value} if isinstance(value, str) else value


Augmentation = Annotated[Crops | Dropout | Halves | WholeText, Field(discriminator="type"), BeforeValidator(_from_name)]


class Recipe(Closed):
    """Augmentation plus every hyperparameter that decides a fine-tuning; the defaults are the paper's."""

    augmentation: Augmentation = Field(
        description="How a positive pair is made: a name, or a `type` with its settings."
    )
    pooling: Pooling = Field("mean", description="How token vectors become the text vector that is trained.")
    temperature: float = Field(0.05, gt=0, description="Divides the cosines in the contrastive loss.")
    learning_rate: float = Field(2e-5, gt=0, description="Peak learning rate of Adam.")
    batch_size: int = Field(
        64, ge=2, description="Pairs per optimiser step; the others in the batch are the negatives."
    )
    epochs: int = Field(1, ge=1, description="Passes over the corpus, one pair per text each.")
    warmup: float = Field(0.1, ge=0, le=1, description="Part of the first epoch over which the learning rate rises.")
    max_length: int = Field(512, ge=3, description="Anchors and positives are truncated to this many tokens.")
    projection: list[Annotated[int, Field(ge=1)]] | None = Field(
        None,
        min_length=1,
        description="Widths of a head between the pooled vector and the loss, e.g. `[512, 128]` for linear, ReLU, "
        "linear; the saved model has no head.",
    )
    unfrozen_layers: int | None = Field(
        None,
        ge=0,
        description="Train the top layers only: this many; 0 leaves the base model. By default everything is trained.",
    )
    held_out: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Part of the corpus that is not trained on: the test texts of scores with `split: all` and the "
        "same `test_fraction`.",
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32", description="Of the encoder's forward pass; pooling, cosines, loss and weights are always fp32."
    )

    @model_validator(mode="after")
    def token7_exists(self):
        """The pooled token must survive truncation."""
        if self.pooling == "token7" and self.max_length < SHORTEST_WITH_TOKEN7:
            raise ValueError(
                f"pooling 'token7' does not exist in max_length {self.max_length}; "
                f"allowed: mean, cls, last, or a max_length of at least {SHORTEST_WITH_TOKEN7}"
            )
        return self


# Scores, experiments, figures ---------------------------------------------------------------------------------


class Split(Closed):
    """One random split of a corpus into training and test texts, shared by every model, layer and pooling."""

    split: Literal["labelled", "all"] = Field(
        "labelled",
        description="What is split: the labelled texts, or all texts, of which the labelled ones are then taken "
        "(for runs with `held_out` texts).",
    )
    test_fraction: float = Field(0.1, gt=0, lt=1, description="Part of the texts that is tested.")
    split_seed: int = Field(42, ge=0, description="Seed of the split.")


class Knn(Split):
    """Nearest-neighbour accuracy of embeddings, as in the paper."""

    type: Literal["knn"]
    k: int = Field(10, ge=1, description="Neighbours that vote; ties go to the class that sorts first.")
    metric: Literal["euclidean", "cosine"] = Field("euclidean", description="Distance between embeddings.")
    transform: Literal["none", "centred", "whitened"] = Field(
        "none", description="What is done to embeddings before: subtract their mean, or PCA-whiten them."
    )


class Linear(Split):
    """Accuracy of a linear probe (logistic regression without penalty on standardised embeddings), as in the paper."""

    type: Literal["linear"]


Score = Annotated[Knn | Linear, Field(discriminator="type"), BeforeValidator(_from_name)]


class RegistryTask(Closed):
    """A task of MTEB's registry, by its name; data at the registry's revision, English part, test split."""

    type: Literal["registry"]
    block: Name = Field(description="Block whose mean the score goes into, e.g. `clustering`.")


class LocalTask(Closed):
    """A task made from a labelled corpus and scored by mteb: same label means similar."""

    type: Literal["clustering", "classification", "sts", "retrieval", "reranking"]
    corpus: Name = Field(description="Corpus it is made from; retrieval needs titles.")
    block: Name = Field(description="Block whose mean the score goes into.")


TaskName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Mteb(Closed):
    """How models are scored by MTEB: all alike."""

    max_length: int = Field(384, ge=3, description="Texts are truncated to this many tokens.")
    normalise: bool = Field(True, description="Scale every text's vector to unit length.")


class Tsne(Closed):
    """How maps of corpora are computed."""

    perplexity: float = Field(30, gt=0, description="Effective number of neighbours.")
    seed: int = Field(42, ge=0, description="Seed of the layout.")


class Embedding(Closed):
    """How corpora are embedded for scoring."""

    tokens_per_batch: int = Field(
        8192,
        ge=1,
        description="Tokens in a batch of texts of similar length; decides speed, memory and the last digits.",
    )


class Threads(Closed):
    """CPU threads per job. They are settings because last digits and ties depend on them."""

    fine_tune: int = Field(2, ge=1, description="Fine-tuning.")
    embed: int = Field(2, ge=1, description="Embedding.")
    score: int = Field(1, ge=1, description="Scores.")


def _kind_of_step(value: Any) -> str | None:
    """JSON type of a step, so that its problems are told once."""
    if isinstance(value, int) and not isinstance(value, bool):
        return "integer"
    return "string" if re.fullmatch(r"final|epoch-[1-9][0-9]*", str(value)) else None


Step = Annotated[
    Annotated[Annotated[int, Field(ge=0)], Tag("integer")] | Annotated[str, Tag("string")],
    Discriminator(
        _kind_of_step,
        custom_error_type="step",
        custom_error_message="Input should be a number, 'final', or 'epoch-' and a number",
    ),
]


class ModelEntry(Closed):
    """One line of a figure: an encoder as it came, or fine-tuned by a recipe, or by a sweep of recipes."""

    encoder: Name = Field(description="Name of an encoder.")
    recipe: Name | None = Field(None, description="Name of a recipe; without it the encoder is evaluated as it came.")
    label: Text | None = Field(None, description="Name in figures and tables.")
    color: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")] | None = Field(
        None, description="Colour in figures, `#rrggbb`."
    )
    group: Text | None = Field(None, description="Family that figures bracket together.")
    train_on: Name | None = Field(None, description="Corpus to fine-tune on; by default the one evaluated.")
    corpora: list[Name] | None = Field(None, min_length=1, description="Only on these of the experiment's corpora.")
    poolings: list[Pooling] | None = Field(None, min_length=1, description="Instead of the experiment's poolings.")
    steps: list[Step] | None = Field(None, min_length=1, description="Instead of the experiment's steps.")
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Recipe keys with lists of values, e.g. `{temperature: [0.05, 0.5]}` or "
        "`{augmentation.sentences: [1, 2]}`: every combination becomes a run.",
    )


def _kind_of_layers(value: Any) -> str | None:
    """JSON type of a choice of layers, so that its problems are told once."""
    if isinstance(value, list):
        return "array"
    return "string" if value in ("last", "all") else None


ChosenLayers = Annotated[
    Annotated[Literal["last", "all"], Tag("string")]
    | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), Tag("array")],
    Discriminator(
        _kind_of_layers,
        custom_error_type="layers",
        custom_error_message="Input should be 'last' or 'all' or a list of numbers",
    ),
]


class Experiment(Closed):
    """A named set of runs and scores that feeds figures and tables."""

    corpora: list[Name] = Field(default_factory=list, description="Corpora to evaluate on.")
    tasks: list[TaskName] = Field(default_factory=list, description="MTEB tasks to evaluate on.")
    models: list[ModelEntry] = Field(min_length=1, description="What is compared.")
    scores: list[Name] = Field(default=["knn"], min_length=1, description="Scores on corpora.")
    layers: ChosenLayers = Field(
        "last", description="Layers to score: `last`, `all`, or numbers from 0 (embedding module) upwards."
    )
    poolings: list[Pooling] = Field(default=["mean"], min_length=1, description="Poolings to score.")
    steps: list[Step] = Field(
        default=["final"],
        min_length=1,
        description="Steps of the runs to evaluate: optimiser steps, `epoch-1`, …, `final`; 0 is the base model.",
    )
    seeds: Seeds | None = Field(None, description="Instead of the study's and the corpora's seeds.")
    maps: bool = Field(False, description="Also compute a t-SNE map of every corpus by every model.")

    @model_validator(mode="after")
    def evaluated_on_something(self):
        """An experiment without corpora and tasks has no score."""
        if not self.corpora and not self.tasks:
            raise ValueError("neither corpora nor tasks; allowed: a list of corpora, of tasks, or both")
        return self


class Described(Closed):
    """What every figure and table has."""

    title: str | None = Field(None, description="Heading in the report.")
    caption: str = Field("", description="What to see, added to its description in the report.")


class ScoreFigure(Described):
    """What a figure of one experiment shows."""

    experiment: Name = Field(description="Experiment that feeds it.")
    pooling: Pooling = Field("mean", description="Pooling shown.")
    score: Name = Field("knn", description="Score shown.")


class ComparisonFigure(ScoreFigure):
    """Models side by side at the last layer."""

    draw: Literal["comparison"]


class LayersFigure(ScoreFigure):
    """Accuracy by layer, a panel per corpus."""

    draw: Literal["layers"]
    free_y: bool = Field(False, description="Every panel has a range of its own.")


class LossesFigure(Described):
    """Contrastive loss over optimiser steps."""

    draw: Literal["losses"]
    experiment: Name = Field(description="Experiment that feeds it.")


class BenchmarkStepsFigure(Described):
    """MTEB blocks and their mean over optimiser steps (Figure 1 of the paper)."""

    draw: Literal["benchmark_steps"]
    experiment: Name = Field(description="Experiment with tasks and steps that feeds it.")


class MapsFigure(ScoreFigure):
    """T-SNE maps, a row per model and a column per corpus (Figure 2 of the paper)."""

    draw: Literal["maps"]


class AdaptationFigure(ScoreFigure):
    """Accuracy on one corpus over the steps of runs on several (Figure 3 of the paper)."""

    draw: Literal["adaptation"]
    reference: Text = Field("ICLR", description="Label of the runs on the evaluated corpus itself.")
    shifted: Text = Field("Reddit", description="Label of the runs on the most different corpus.")
    shift_step: int = Field(60, ge=1, description="Step by which an encoder has learnt to embed texts at all.")


class DepthFigure(Described):
    """What depth does: frozen layers, accuracy by layer, MTEB by layer (Figure 4 of the paper)."""

    draw: Literal["depth"]
    freezing: Name = Field(description="Experiment that sweeps `unfrozen_layers`.")
    layers: Name = Field(description="Experiment with scores of all layers.")
    benchmark: Name | None = Field(None, description="Experiment with tasks and all layers.")


class HyperparametersFigure(Described):
    """Four sweeps: temperature, sentences, mask fraction, learning rate (Figure S2 of the paper)."""

    draw: Literal["hyperparameters"]
    temperature: Name = Field(description="Experiment that sweeps `temperature`.")
    sentences: Name = Field(description="Experiment that sweeps `augmentation.sentences`.")
    masking: Name = Field(description="Experiment that sweeps `augmentation.mask_fraction`.")
    learning_rate: Name = Field(description="Experiment that sweeps `learning_rate`.")


class BeforeAfterFigure(ScoreFigure):
    """An arrow per encoder, from its score as it came to its score after fine-tuning."""

    draw: Literal["before_after"]


class ClassesFigure(Described):
    """Sizes of the classes of corpora."""

    draw: Literal["classes"]
    corpora: list[Name] = Field(min_length=1, description="Corpora shown.")


Figure = (
    ComparisonFigure
    | LayersFigure
    | LossesFigure
    | BenchmarkStepsFigure
    | MapsFigure
    | AdaptationFigure
    | DepthFigure
    | HyperparametersFigure
    | BeforeAfterFigure
    | ClassesFigure
)

TableAxis = Literal["label", "series", "corpus", "score", "step", "x", "pooling"]


class ScoresTable(Described):
    """Scores of one experiment: means over seeds with their spread, the paper's value in parentheses."""

    lay_out: Literal["scores"]
    experiment: Name = Field(description="Experiment that feeds it.")
    rows: TableAxis = Field("series", description="What the rows are.")
    columns: TableAxis = Field("corpus", description="What the columns are.")
    series: list[Text] = Field(default_factory=list, description="Labels shown, in this order; by default all.")
    poolings: list[Pooling] = Field(default=["mean"], min_length=1, description="Poolings shown.")
    means: bool = Field(False, description="Add means over corpora, or over blocks of tasks.")


class CorporaTable(Described):
    """Corpora: numbers of texts and classes, lengths."""

    lay_out: Literal["corpora"]
    corpora: list[Name] = Field(min_length=1, description="Corpora shown.")


Table = ScoresTable | CorporaTable


class Settings(Closed):
    """A whole study."""

    folder: Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9_-]*)?$")] = Field(
        "",
        description="Subfolder of `results/`, `figures/` and `logs/` for everything this config makes. "
        "Configs with different folders share nothing.",
    )
    seeds: Seeds = Field(
        default=[42], description="One run per seed: pairs, initial weights and dropout follow from it."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where encoders run; `auto` prefers a GPU.")
    threads: Threads = Field(default_factory=Threads, description="CPU threads per job.")
    corpora: dict[Name, Corpus] = Field(min_length=1, description="Corpora by name.")
    encoders: dict[Name, Annotated[Encoder, Field(discriminator="type")]] = Field(
        min_length=1, description="Encoders by name."
    )
    recipes: dict[Name, Recipe] = Field(default_factory=dict, description="Recipes by name.")
    embedding: Embedding = Field(default_factory=Embedding, description="How corpora are embedded.")
    scores: dict[Name, Score] = Field(
        default_factory=lambda: {"knn": Knn(type="knn")}, description="Scores on corpora by name."
    )
    tasks: dict[TaskName, Annotated[RegistryTask | LocalTask, Field(discriminator="type")]] = Field(
        default_factory=dict, description="MTEB tasks by name; a registry task's name is MTEB's."
    )
    mteb: Mteb = Field(default_factory=Mteb, description="How models are scored by MTEB.")
    tsne: Tsne = Field(default_factory=Tsne, description="How maps are computed.")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="Experiments by name.")
    figures: dict[Name, Annotated[Figure, Field(discriminator="draw")]] = Field(
        default_factory=dict, description="Figures by name; each is a rule and a file."
    )
    tables: dict[Name, Annotated[Table, Field(discriminator="lay_out")]] = Field(
        default_factory=dict, description="Tables by name; each is a rule and a file."
    )
    published: LocalPath | None = Field(
        None, description="Published numbers to compare with, such as `reference/paper.csv`."
    )
