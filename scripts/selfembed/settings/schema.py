"""The schema of `config.yaml`: every key, its type, its default and its meaning.

The single source of defaults, of `docs/configuration.md` and of the JSON schema (see `documentation.py`).
All models are closed: an unknown key is an error. Combinations of keys are checked in `validation.py`.
"""

from typing import Annotated, Any, Literal

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


class Closed(BaseModel):
    """A model that refuses unknown keys and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


# Corpora ------------------------------------------------------------------------------------------------------


class FileSource(Closed):
    """Texts in a file of one's own."""

    type: Literal["file"]
    path: LocalPath = Field(description="The file; relative paths start at the working directory.")
    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = Field(
        None, description="File format; by default taken from the file's ending."
    )
    text: Text = Field("text", description="Column with the texts.")
    label: Text | None = Field(None, description="Column with the class labels; without it the corpus is unlabelled.")
    title: Text | None = Field(None, description="Column with a short title for each text.")
    id: Text | None = Field(
        None, description="Column with ids, unique unless duplicates are kept; by default hashes of the texts."
    )
    unlabelled: list[Text] = Field(
        default_factory=list, description="Values of the label column that mean 'no label' (empty cells always do)."
    )


class PythonDocsSource(Closed):
    """Docstrings of installed Python packages, read from source: real texts with labels, offline."""

    type: Literal["python_docs"]
    packages: list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = Field(
        default=["sympy", "scipy", "torch", "networkx", "sklearn", "pandas", "numpy", "matplotlib"],
        min_length=1,
        description="Import names of the packages to read.",
    )


class Corpus(Closed):
    """A table of texts: `id`, `text`, `label` (may be missing), `title` (may be missing)."""

    source: FileSource | PythonDocsSource = Field(discriminator="type", description="Where the texts come from.")
    minimum_length: int = Field(1, ge=1, description="Shorter texts (in characters) are dropped.")
    minimum_label_count: int = Field(1, ge=1, description="Labels with fewer texts become 'no label'.")
    deduplicate: bool = Field(True, description="Keep only the first of identical texts.")

    @property
    def labelled(self) -> bool:
        """Whether scores that need labels can be computed."""
        return self.source.type == "python_docs" or self.source.label is not None


# Encoders -----------------------------------------------------------------------------------------------------

MaxLength = Annotated[int, Field(512, ge=3, description="Texts are truncated to this many tokens when embedded.")]
Layers = Annotated[
    int, Field(ge=1, description="Number of transformer layers; checked against the weights when they are fetched.")
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class HubEncoder(Closed):
    """A pretrained checkpoint on the Hugging Face hub."""

    type: Literal["hub"]
    id: str = Field(min_length=1, description="Repository, for instance `microsoft/mpnet-base`.")
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")] = Field(
        description="Full commit hash, so that the weights can never change."
    )
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


class TfidfEncoder(Closed):
    """Bag of words: TF-IDF with sublinear term frequency, fitted on the whole corpus."""

    type: Literal["tfidf"]


class SvdEncoder(Closed):
    """Bag of words: truncated SVD of TF-IDF, fitted on the whole corpus."""

    type: Literal["svd"]
    components: int = Field(100, ge=1, description="Number of singular vectors kept.")
    normalise: bool = Field(False, description="Scale every text's vector to unit length.")


Encoder = HubEncoder | FolderEncoder | PackageEncoder | RandomEncoder | TfidfEncoder | SvdEncoder
BAGS_OF_WORDS = (TfidfEncoder, SvdEncoder)
FETCHED = (HubEncoder, FolderEncoder, PackageEncoder)


# Recipes ------------------------------------------------------------------------------------------------------


class Packs(Closed):
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


def _from_name(value: Any) -> Any:
    """Let `augmentation: crops` stand for `augmentation: {type: crops}`."""
    return {"type": value} if isinstance(value, str) else value


Augmentation = Annotated[Crops | Dropout, Field(discriminator="type"), BeforeValidator(_from_name)]


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


class Knn(Closed):
    """Nearest-neighbour accuracy of embeddings, as in the paper."""

    k: int = Field(10, ge=1, description="Neighbours that vote; ties go to the class that sorts first.")
    metric: Literal["euclidean", "cosine"] = Field("euclidean", description="Distance between embeddings.")
    test_fraction: float = Field(0.1, gt=0, lt=1, description="Part of the labelled texts that is tested.")
    split_seed: int = Field(42, ge=0, description="Seed of the one split that every model, layer and pooling shares.")


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


class ModelEntry(Closed):
    """One line of a figure: an encoder as it came, or fine-tuned by a recipe, or by a sweep of recipes."""

    encoder: Name = Field(description="Name of an encoder.")
    recipe: Name | None = Field(None, description="Name of a recipe; without it the encoder is evaluated as it came.")
    label: Text | None = Field(None, description="Name in figures and tables.")
    color: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")] | None = Field(
        None, description="Colour in figures, `#rrggbb`."
    )
    train_on: Name | None = Field(None, description="Corpus to fine-tune on; by default the one evaluated.")
    poolings: list[Pooling] | None = Field(None, min_length=1, description="Instead of the experiment's poolings.")
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
    """A named set of runs and scores that feeds figures and a table."""

    corpora: list[Name] = Field(min_length=1, description="Corpora to evaluate on.")
    models: list[ModelEntry] = Field(min_length=1, description="What is compared.")
    layers: ChosenLayers = Field(
        "last", description="Layers to score: `last`, `all`, or numbers from 0 (embedding module) upwards."
    )
    poolings: list[Pooling] = Field(default=["mean"], min_length=1, description="Poolings to score.")
    seeds: list[Annotated[int, Field(ge=0)]] | None = Field(
        None, min_length=1, description="Instead of the study's seeds."
    )


class Figure(Closed):
    """A picture made from one experiment."""

    draw: Literal["comparison", "layers", "losses"] = Field(
        description="`comparison`: models side by side at the last layer; `layers`: accuracy by layer; "
        "`losses`: contrastive loss over optimiser steps."
    )
    experiment: Name = Field(description="Experiment that feeds it.")
    pooling: Pooling = Field("mean", description="Pooling shown (scores only).")
    title: str | None = Field(None, description="Heading in the report.")
    caption: str = Field("", description="What to see, added to the figure's description in the report.")


class Settings(Closed):
    """A whole study."""

    folder: Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9_-]*)?$")] = Field(
        "",
        description="Subfolder of `results/`, `figures/` and `logs/` for everything this config makes. "
        "Configs with different folders share nothing.",
    )
    seeds: list[Annotated[int, Field(ge=0)]] = Field(
        default=[42], min_length=1, description="One run per seed: pairs, initial weights and dropout follow from it."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where encoders run; `auto` prefers a GPU.")
    threads: Threads = Field(default_factory=Threads, description="CPU threads per job.")
    corpora: dict[Name, Corpus] = Field(min_length=1, description="Corpora by name.")
    encoders: dict[Name, Annotated[Encoder, Field(discriminator="type")]] = Field(
        min_length=1, description="Encoders by name."
    )
    recipes: dict[Name, Recipe] = Field(default_factory=dict, description="Recipes by name.")
    embedding: Embedding = Field(default_factory=Embedding, description="How corpora are embedded.")
    knn: Knn = Field(default_factory=Knn, description="Nearest-neighbour accuracy.")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="Experiments by name.")
    figures: dict[Name, Figure] = Field(default_factory=dict, description="Figures by name; each is a rule and a file.")
