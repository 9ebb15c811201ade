"""Settings of corpora: sources of texts and their preparation."""

from itertools import combinations
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from selfembed.settings.base import Closed, Commit, Kind, LocalPath, Name, Packs, Seeds, Sha256, Text
from selfembed.texts.file_formats import format_of


class Columns(Closed):
    """Columns of a table."""

    text: Text = Field("text", description="Column with the texts.")
    label: Text | None = Field(None, description="Column with class labels; if missing, the corpus is unlabelled.")
    title: Text | None = Field(None, description="Column with a short title for each text.")
    group: Text | None = Field(
        None, description="Column whose values say which texts belong together, such as a thread or a product."
    )
    id: Text | None = Field(
        None, description="Column with ids, unique unless duplicates are kept; defaults to hashes of the texts."
    )
    keywords: Text | None = Field(
        None, description="Column with keywords, from which labels are derived by the rules in `keyword_classes`."
    )
    keyword_classes: LocalPath | None = Field(
        None, description="Table of keywords with frequency and class, such as `reference/iclr_keywords.csv`."
    )
    unlabelled: list[Text] = Field(
        default_factory=list, description="Values of the label column that mean 'no label', in addition to empty cells."
    )

    @model_validator(mode="after")
    def one_origin_of_labels(self):
        """Labels are either read or derived from keywords."""
        if (self.keywords is None) != (self.keyword_classes is None):
            raise ValueError("keywords and keyword_classes must be set together; expected: both or neither")
        if self.keywords and self.label:
            raise ValueError("label and keywords are both set; expected: one of them")
        return self

    @property
    def labelled(self) -> bool:
        return bool(self.label or self.keywords)


class OwnSource(Kind):
    """Base class of sources with a raw file, which is read and cleaned.

    Attributes:
        label_setting: the setting that adds labels, if any.
        downloaded: whether the raw file is downloaded.
        raw: path of the raw file; may contain `{corpus}`.
        columns: columns of the raw file and how to read it.
        pairs_score: none; see `DerivedSource`.
    """

    label_setting: ClassVar[str | None]
    downloaded: ClassVar[bool]
    raw: ClassVar[str]
    columns: ClassVar[Columns]
    pairs_score: ClassVar[str | None] = None

    @property
    def labelled(self) -> bool:
        return self.columns.labelled

    def raw_file(self, corpus: str) -> str:
        return self.raw.format(corpus=corpus)


FETCHED = "<results>/sources/{corpus}.download"
COLLECTED = "<results>/sources/{corpus}.parquet"


class DerivedSource(Kind):
    """Base class of sources that use the cleaned texts of another corpus, `corpus`.

    Attributes:
        same_texts: whether the texts are the same as those of the other corpus, so that both share embeddings.
        pairs_score: type of the scores of a corpus with two rows for every held-out text, whose models are trained on
            the whole texts of the other corpus; None for corpora of whole texts.
    """

    same_texts: ClassVar[bool]
    pairs_score: ClassVar[str | None]


class TableSource(Columns, OwnSource):
    """Base class of sources whose raw file is a table with configurable columns."""

    label_setting = "label"

    colors: list[Text] = Field(
        default_factory=list,
        description="Further columns that the interactive map can be coloured by: numbers, dates (`2017-03-04`) or "
        "classes. Only the map depends on them.",
    )

    @property
    def columns(self) -> Columns:
        """The columns in the settings of the source."""
        return self


def known_encoding(name: str) -> str:
    """Reject encodings that Python does not support."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError(f"{name!r} is not a text encoding; expected: for example cp1252, latin-1 or utf-16") from None
    return name


Encoding = Annotated[str, AfterValidator(known_encoding)]

FileFormat = Literal["csv", "tsv", "jsonl", "parquet", "json", "xlsx"]


class FileSource(TableSource):
    """Texts in a local file."""

    downloaded = False

    type: Literal["file"]
    path: LocalPath = Field(description="Path of the file, relative to the working directory.")
    format: FileFormat | None = Field(
        None,
        description="File format; defaults to the one of the file extension. Text files can be compressed with gzip or "
        "zstd.",
    )
    encoding: Encoding | None = Field(
        None, description="Encoding of a text file that is not UTF-8, such as `cp1252` or `utf-16`."
    )
    separator: Literal[",", ";", "|"] | None = Field(
        None, description="Separator of a csv file; defaults to that of a first line `sep=;`, or else a comma."
    )

    @property
    def raw(self) -> str:
        return self.path

    @model_validator(mode="after")
    def separated(self):
        if self.separator and (self.format or format_of(Path(self.path))) != "csv":
            raise ValueError("separator applies only to csv files; expected: no separator, or format: csv")
        return self


class FolderSource(OwnSource):
    """A folder with one .txt or .md file per text, including subfolders; file names are the titles."""

    raw = COLLECTED
    downloaded = False
    label_setting = "label: folder"

    type: Literal["folder"]
    path: LocalPath = Field(description="Path of the folder, relative to the working directory.")
    extension: Literal["txt", "md"] = Field("txt", description="Extension of the files; others are not read.")
    encoding: Encoding | None = Field(None, description="Encoding of files that are not UTF-8.")
    label: Literal["folder"] | None = Field(
        None, description="`folder` uses subfolders as classes; if missing, the corpus is unlabelled."
    )

    @property
    def columns(self) -> Columns:
        """Columns of the collected texts."""
        return Columns(title="title", label=self.label)


class UrlSource(TableSource):
    """Texts in a file on the web, verified by a checksum."""

    raw = FETCHED
    downloaded = True

    type: Literal["url"]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s{}<>]+$")] = Field(description="URL of the file.")
    sha256: Sha256 | None = Field(None, description="SHA-256 of the file; this or `git_blob` is required.")
    git_blob: Commit | None = Field(None, description="Git blob id of the file, if it is in a git repository.")
    format: FileFormat = Field(description="File format.")

    @model_validator(mode="after")
    def one_checksum(self):
        if (self.sha256 is None) == (self.git_blob is None):
            raise ValueError("a downloaded file needs one checksum; expected: sha256 or git_blob")
        return self


class IclrSource(OwnSource):
    """The paper's main corpus: abstracts of ICLR submissions, labelled by their keywords."""

    raw = FETCHED
    downloaded = True
    label_setting = None

    type: Literal["iclr"]
    version: Literal["24v1", "24v2"] = Field(
        "24v1",
        description="Version of the data set: `24v1` is the paper's (24,347 texts), `24v2` has 24,445. Both are "
        "downloaded at a fixed commit and verified.",
    )

    @property
    def columns(self) -> UrlSource:
        """The file in the repository of the data set at a fixed commit, with its columns and blob id."""
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
    "24v2": (
        "9f09cbbfb8ff844b7267906c8b9d9419fdad9d6c",
        "iclr24v2.parquet",
        "5e83bbe68e0e93286fdfa18ccdaedd8c0b5fae48",
    ),
}


class HubSource(OwnSource):
    """A data set on the Hugging Face Hub; cells that are lists are concatenated in order."""

    raw = COLLECTED
    downloaded = True
    label_setting = "label"

    type: Literal["hub"]
    id: str = Field(min_length=1, description="Repository, e.g. `mteb/biorxiv-clustering-p2p`.")
    revision: Commit | None = Field(
        None,
        description="Full commit hash, which fixes the texts. If missing, the newest revision is downloaded and "
        "recorded in the log and in `results/corpora/{corpus}.json`.",
    )
    subset: Text | None = Field(
        None, description="Subset (configuration) that the README declares, or folder; if missing, all files are used."
    )
    split: Text = Field("test", description="Split of the data set.")
    text: Text = Field("sentences", description="Column with the texts, or with lists of texts.")
    label: Text | None = Field(
        "labels", description="Column with the labels, or with lists of labels; null if there are none."
    )
    title: Text | None = Field(None, description="Column with a short title for each text.")
    group: Text | None = Field(
        None, description="Column whose values say which texts belong together, such as a thread or a product."
    )

    @property
    def columns(self) -> Columns:
        """Columns of the collected table, whatever the columns of the data set."""
        return Columns(label=self.label and "label", title=self.title and "title", group=self.group and "group")


class RelabelledSource(DerivedSource):
    """The texts of another corpus with coarser labels; both corpora share the embeddings."""

    same_texts = True
    pairs_score = None

    type: Literal["relabelled"]
    corpus: Name = Field(description="The other corpus.")
    up_to: Text = Field(".", description="Labels are truncated before the first occurrence of this string.")


class SampleSource(DerivedSource):
    """A fixed random sample of another corpus."""

    same_texts = False
    pairs_score = None

    type: Literal["sample"]
    corpus: Name = Field(description="The other corpus.")
    size: int = Field(ge=1, description="Number of texts.")
    seed: int = Field(42, ge=0, description="Random seed.")


class PairsSource(DerivedSource):
    """Base class of sources with two rows for every held-out text of another corpus."""

    same_texts = False

    corpus: Name = Field(description="The other corpus.")
    held_out: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Fraction of held-out texts that are used; recipes need the same `held_out`. 0 uses all texts, for "
        "models that were not trained on any of them.",
    )
    size: int | None = Field(
        2000, ge=50, description="Maximum number of texts, drawn at random; null uses all suitable texts."
    )
    seed: int = Field(42, ge=0, description="Random seed.")


class CropsSource(Packs, PairsSource):
    """Two crops of each held-out text of another corpus, for scores that need no labels."""

    pairs_score = "crop_pairs"

    type: Literal["crops"]


class TitlesSource(PairsSource):
    """The title of each held-out text of another corpus, and the text without it, for scores that need no labels.

    Titles can be any column that people wrote about the texts, such as a subject, a question or a summary: `title` of
    the other corpus names it.
    """

    pairs_score = "title_pairs"

    type: Literal["titles"]


class PythonDocsSource(OwnSource):
    """Docstrings of installed Python packages, read from their source code; offline, with labels."""

    raw = COLLECTED
    columns = Columns(title="title", label="package")
    downloaded = False
    label_setting = None

    type: Literal["python_docs"]
    packages: list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = Field(
        default=["sympy", "scipy", "torch", "networkx", "sklearn", "pandas", "numpy", "matplotlib"],
        min_length=1,
        description="Import names of the packages to read.",
    )


class Expected(Closed):
    """Expected sizes of a prepared corpus; other data are rejected before they are used."""

    rows: int | None = Field(
        None,
        ge=1,
        description="Number of texts of the prepared corpus, without empty, short and (with `deduplicate`) duplicate "
        "texts. With `deduplicate: false` and no empty texts, the number of rows of the source.",
    )
    labelled: int | None = Field(
        None, ge=0, description="Number of texts with a label, after `unlabelled` and `minimum_label_count`."
    )
    classes: int | None = Field(None, ge=0, description="Number of distinct labels.")

    @model_validator(mode="after")
    def possible(self):
        """At least one number is set, and classes ≤ labelled ≤ rows."""
        given = self.model_dump(exclude_none=True)
        if not given:
            raise ValueError("empty; expected: at least one of rows, labelled, classes")
        for (more, most), (fewer, number) in combinations(given.items(), 2):
            if number > most:
                raise ValueError(f"{fewer} {number} is above {more} {most}; expected: at most {most}")
        if self.labelled and self.classes == 0:
            raise ValueError(f"classes 0, but labelled {self.labelled}; expected: at least 1 class")
        return self


class Corpus(Closed):
    """A table of texts: `id`, `text`, `label` (may be missing), `title` (may be missing); `group` if it is named."""

    source: (
        FileSource
        | FolderSource
        | UrlSource
        | IclrSource
        | HubSource
        | PythonDocsSource
        | RelabelledSource
        | SampleSource
        | CropsSource
        | TitlesSource
    ) = Field(discriminator="type", description="Source of the texts.")
    minimum_length: int = Field(
        1, ge=1, description="Minimum length of a text, in characters; shorter texts are dropped."
    )
    minimum_label_count: int = Field(
        1, ge=1, description="Minimum number of texts per label; texts with rarer labels become unlabelled."
    )
    deduplicate: bool = Field(True, description="Keep only the first of identical texts.")
    sentences: Literal["paper", "unicode", "lines", "words"] = Field(
        "paper",
        description="How texts are split into the sentences of crops, dropout and halves. `paper` splits at every full "
        "stop; `unicode` at the end of sentences in any script (in Thai, Lao, Tibetan and Khmer at spaces); `lines` at "
        "line ends, for chats, logs, lists and code; `words` after every 20 words, for texts "
        "without punctuation, such as transcripts. Derived corpora take over the sentences of the other corpus.",
    )
    drop_repeated: int | None = Field(
        None,
        ge=2,
        description="Leave sentences that occur in at least this many texts out of crops, dropout and halves, such as "
        "greetings and footers; digits and case do not count. The texts themselves keep them. By default, no sentence "
        "is left out. Not possible with `sentences: paper`.",
    )
    expect: Expected | None = Field(
        None, description="Expected sizes of the prepared corpus; the job fails if the data differ."
    )
    seeds: Seeds | None = Field(
        None,
        description="Seeds of models scored on this corpus, instead of the study's (saves time on large corpora).",
    )
    embedding_jobs: int = Field(
        1,
        ge=1,
        description="Number of jobs that embed this corpus with one encoder, each a part of the texts, for instance on "
        "several GPUs. Batches are the same as with one job, and a change reruns nothing.",
    )

    @model_validator(mode="after")
    def repeated_are_known(self):
        """Repeated sentences are found when texts are split, which the paper's way does later."""
        if self.drop_repeated and self.sentences == "paper":
            raise ValueError(
                "drop_repeated is not possible with sentences: paper; expected: sentences: unicode, lines or words"
            )
        return self

    @model_validator(mode="after")
    def has_texts_to_embed(self):
        """Texts of another corpus are embedded as its own."""
        if self.embedding_jobs > 1 and isinstance(self.source, DerivedSource) and self.source.same_texts:
            raise ValueError(f"embedding_jobs of a corpus with other labels; expected: the key in {self.source.corpus}")
        return self
