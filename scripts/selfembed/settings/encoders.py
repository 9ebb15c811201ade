"""Settings of encoders: pretrained, randomly initialised, embedding layers, bags of words."""

from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from selfembed.settings.base import Closed, Commit, Kind, LocalPath, Name, Sha256, Text

MaxLength = Annotated[int, Field(512, ge=3, description="Texts are truncated to this many tokens when embedded.")]

Prompt = Annotated[
    Text | None,
    Field(
        None,
        description="Name of the prompt, among those of the encoder's folder, that precedes every text with pooling "
        "`own`, in training, too. By default the folder's default prompt, if it has one.",
    ),
]

Layers = Annotated[int, Field(ge=1, description="Number of transformer layers; verified when the weights are loaded.")]


class EncoderKind(Kind):
    """Base class of encoders."""

    @property
    @abstractmethod
    def description(self) -> str:
        """Description of the encoder in model cards and reports."""


class WithOwnModules(EncoderKind):
    """Base class of encoders with own modules after the transformer, for pooling `own`."""


class FetchedEncoder(WithOwnModules):
    """Base class of pretrained checkpoints."""


class EmbeddingsOnly(EncoderKind):
    """Base class of parts of other encoders without transformer layers.

    Attributes:
        part: name of the part.
    """

    layers: ClassVar[int] = 0
    part: ClassVar[str]

    of: Name = Field(description="The other encoder, pretrained or random.")
    max_length: MaxLength = 512

    @property
    def description(self) -> str:
        return f"the {self.part} of {self.of} alone"


class BesideWordCounts(WithOwnModules):
    """The vectors of a pretrained encoder with its own modules, beside the truncated SVD of TF-IDF of its tokens.

    Both parts are scaled to unit length, so cosines are weighted means of the cosines of both. TF-IDF and SVD are
    fitted on the training texts of a corpus; fine-tuning changes the encoder alone. Of `max_length` and that of the
    pretrained encoder, the smaller one applies.
    """

    type: Literal["beside_word_counts"]
    of: Name = Field(description="The pretrained encoder.")
    corpus: Name = Field(description="Corpus to fit TF-IDF and SVD on.")
    held_out: float = Field(0.0, ge=0, lt=1, description="Fraction of its texts to leave out, that of the recipes.")
    components: int = Field(200, ge=1, description="Number of singular vectors; fewer for small corpora.")
    weight: float = Field(0.5, gt=0, description="Length of the SVD part of a vector, if that of the encoder is 1.")
    layers: Layers
    max_length: MaxLength = 512

    @property
    def description(self) -> str:
        return f"{self.of} beside {self.components} components of word counts"


class BagOfWords(EncoderKind):
    """Base class of bags of words, which have one layer, no weights to fine-tune and no tokens to pool."""

    layers: ClassVar[int] = 0

    terms: Literal["words", "unicode_words"] = Field(
        "words",
        description="What is counted. `words`: runs of two or more letters and digits, as in the paper; "
        "`unicode_words`: words by the rules and dictionaries of ICU, for scripts without spaces (Chinese, Japanese, "
        "Thai) or with vowel signs (Hindi).",
    )


class HubAdapter(Closed):
    """An adapter of the `adapters` library on the Hugging Face Hub: a bottleneck (`seq_bn`) for BERT."""

    id: str = Field(min_length=1, description="Repository, e.g. `allenai/specter2`.")
    revision: Commit | None = Field(
        None, description="Full commit hash. If missing, the newest revision is downloaded."
    )

    @property
    def description(self) -> str:
        return f"{self.id} (revision {self.revision[:8]})" if self.revision else self.id


class HubEncoder(FetchedEncoder):
    """A pretrained checkpoint on the Hugging Face Hub."""

    type: Literal["hub"]
    id: str = Field(min_length=1, description="Repository, e.g. `microsoft/mpnet-base`.")
    revision: Commit | None = Field(
        None,
        description="Full commit hash, which fixes the weights. If missing, the newest revision is downloaded and "
        "recorded in the log and in `revision.json` in the encoder's folder.",
    )
    adapter: HubAdapter | None = Field(None, description="An adapter that is part of the encoder and trained with it.")
    layers: Layers
    max_length: MaxLength = 512
    prompt: Prompt = None

    @property
    def description(self) -> str:
        revision = f", revision {self.revision[:8]}" if self.revision else ""
        words = f"{self.id} (Hugging Face hub{revision})"
        return words if self.adapter is None else f"{words} with the adapter {self.adapter.description}"


class FolderEncoder(FetchedEncoder):
    """A pretrained checkpoint in a local folder (transformers or sentence-transformers format)."""

    type: Literal["folder"]
    path: LocalPath = Field(description="Path of the folder, relative to the working directory.")
    sha256: Sha256 | None = Field(
        None,
        description="SHA-256 of the file with the weights, or of names and checksums of its parts; verified if given.",
    )
    adapter: LocalPath | None = Field(
        None, description="Folder with an adapter that is part of the encoder, in the format of the `adapters` library."
    )
    layers: Layers
    max_length: MaxLength = 512
    prompt: Prompt = None

    @property
    def description(self) -> str:
        """Names of the folders without their paths, because the card may be published."""
        words = f"the pretrained model in the folder {Path(self.path).name}"
        return words if self.adapter is None else f"{words} with the adapter in {Path(self.adapter).name}"


class PackageEncoder(FetchedEncoder):
    """A pretrained checkpoint in an installed Python package."""

    type: Literal["package"]
    package: str = Field(min_length=1, description="Import name of the package.")
    folder: str = Field(min_length=1, description="Folder of the weights in the package.")
    sha256: Sha256 = Field(description="SHA-256 of `model.safetensors`.")
    layers: Layers
    max_length: MaxLength = 512
    prompt: Prompt = None

    @property
    def description(self) -> str:
        return f"the pretrained model in the Python package {self.package.replace('_', '-')}"


class Architecture(Closed):
    """The architecture of a BERT encoder; the defaults are those of BERT-base."""

    layers: int = Field(12, ge=1, description="Number of transformer layers.")
    hidden_size: int = Field(768, ge=1, description="Width of the token vectors.")
    attention_heads: int = Field(12, ge=1, description="Attention heads per layer; must divide `hidden_size`.")
    intermediate_size: int = Field(3072, ge=1, description="Width of the feed-forward layers.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Dropout probability of hidden states and attention.")

    @model_validator(mode="after")
    def heads_divide_width(self):
        if self.hidden_size % self.attention_heads:
            raise ValueError(
                f"attention_heads {self.attention_heads} does not divide hidden_size {self.hidden_size}; "
                "expected: a divisor"
            )
        return self


class TrainedTokenizer(Closed):
    """A lower-casing byte-level BPE tokenizer trained on a corpus."""

    train_on: Name = Field(description="Corpus to train the tokenizer on.")
    vocabulary_size: int = Field(30522, ge=300, description="Vocabulary size (BERT: 30522).")


class BorrowedTokenizer(Closed):
    """The tokenizer of another encoder."""

    borrow_from: Name = Field(description="Encoder (hub, folder or package) that provides the tokenizer.")


def _kind_of_tokenizer(value: Any) -> str | None:
    """Return the kind of a tokenizer by its keys, so that each error is reported once."""
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


class RandomEncoder(EncoderKind):
    """A randomly initialised BERT (weights from N(0, 0.02²), drawn with the run's seed)."""

    type: Literal["random"]
    architecture: Architecture = Field(default_factory=Architecture, description="Architecture of the encoder.")
    tokenizer: Tokenizer = Field(description="`train_on` a corpus or `borrow_from` an encoder.")
    max_length: MaxLength = 512
    description: ClassVar[str] = "a model with random weights, which knew nothing"

    @property
    def layers(self) -> int:
        return self.architecture.layers


class EmbeddingLayerEncoder(EmbeddingsOnly):
    """Only the token-embedding matrix of another encoder: lookup and mean, no positions, no dropout."""

    part = "token-embedding layer"

    type: Literal["embedding_layer"]


class EmbeddingModuleEncoder(EmbeddingsOnly):
    """Only the embedding module of another encoder: tokens, positions, normalisation, dropout; no layers."""

    part = "embedding module"

    type: Literal["embedding_module"]


class TfidfEncoder(BagOfWords):
    """Bag of words: TF-IDF with sublinear term frequency, fitted on the whole corpus."""

    type: Literal["tfidf"]
    description: ClassVar[str] = "TF-IDF"


class SvdEncoder(BagOfWords):
    """Bag of words: truncated SVD of TF-IDF, fitted on the whole corpus."""

    type: Literal["svd"]
    description: ClassVar[str] = "the singular value decomposition of TF-IDF"
    components: int = Field(100, ge=1, description="Number of singular vectors kept.")
    normalise: bool = Field(False, description="Scale vectors to unit length.")


Encoder = (
    HubEncoder
    | FolderEncoder
    | PackageEncoder
    | RandomEncoder
    | EmbeddingLayerEncoder
    | EmbeddingModuleEncoder
    | BesideWordCounts
    | TfidfEncoder
    | SvdEncoder
)
