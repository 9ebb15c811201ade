"""Settings of corpora: where texts come from, and how they are cleaned."""

from itertools import combinations
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from selfembed.settings.base import Closed, Commit, Kind, LocalPath, Name, Packs, Seeds, Sha256, Text
from selfembed.texts.file_formats import FORMATS


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


class OwnSource(Kind):
    """A source of texts of its own: a raw file, which is read and cleaned.

    Attributes:
        labelled: whether texts get labels.
        label_setting: the setting, if there is one, without which they get none.
        downloaded: whether the raw file is fetched from the network.
        raw: the raw file of a corpus, by its name.
        columns: which columns of the raw file hold what, and how it is read.
    """

    labelled: ClassVar[bool]
    label_setting: ClassVar[str | None]
    downloaded: ClassVar[bool]
    raw: ClassVar[str]
    columns: ClassVar[Columns]

    def raw_file(self, corpus: str) -> str:
        """The raw file of a corpus of this name."""
        return self.raw.format(corpus=corpus)


FETCHED = "<results>/sources/{corpus}.download"
COLLECTED = "<results>/sources/{corpus}.parquet"


class DerivedSource(Kind):
    """Texts of another corpus, `corpus`, which are cleaned already.

    Attributes:
        same_texts: whether the texts are all those of the other corpus, unchanged, so that they are embedded once.
    """

    same_texts: ClassVar[bool]


class TableSource(Columns, OwnSource):
    """A source whose raw file is a table with columns to choose."""

    label_setting = "label"

    @property
    def columns(self) -> Columns:
        """The source says them itself."""
        return self


def known_encoding(name: str) -> str:
    """The name of an encoding of text that Python knows."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError(f"{name!r} is no encoding of text; allowed: such as cp1252, latin-1, utf-16") from None
    return name


Encoding = Annotated[str, AfterValidator(known_encoding)]

FileFormat = Literal["csv", "tsv", "jsonl", "parquet"]


class FileSource(TableSource):
    """Texts in a file of one's own."""

    downloaded = False

    type: Literal["file"]
    path: LocalPath = Field(description="The file; relative paths start at the working directory.")
    format: FileFormat | None = Field(None, description="File format; by default taken from the file's ending.")
    encoding: Encoding | None = Field(
        None, description="Encoding of a text file that is not UTF-8, such as `cp1252` or `utf-16`."
    )
    separator: Literal[",", ";", "|"] | None = Field(
        None, description="What separates the cells of a csv file; by default a comma."
    )

    @property
    def raw(self) -> str:
        """The file itself."""
        return self.path

    @model_validator(mode="after")
    def separated(self):
        """Only csv files are asked what separates cells."""
        if self.separator and (self.format or FORMATS.get(Path(self.path).suffix.lower())) != "csv":
            raise ValueError("separator is of csv files; allowed: drop this key, or format: csv")
        return self


class FolderSource(OwnSource):
    """A folder with a .txt file for each text, also in folders inside; titles are the names of the files."""

    raw = COLLECTED
    downloaded = False
    label_setting = "label: folder"

    type: Literal["folder"]
    path: LocalPath = Field(description="The folder; relative paths start at the working directory.")
    encoding: Encoding | None = Field(None, description="Encoding of the files that are not UTF-8.")
    label: Literal["folder"] | None = Field(
        None, description="`folder`: the folders inside are the classes; without it the corpus is unlabelled."
    )

    @property
    def labelled(self) -> bool:
        """Whether texts get labels."""
        return self.label is not None

    @property
    def columns(self) -> Columns:
        """Those of the collected texts."""
        return Columns(title="title", label=self.label)


class UrlSource(TableSource):
    """Texts in a file on the web, with a checksum."""

    raw = FETCHED
    downloaded = True

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


class IclrSource(OwnSource):
    """The paper's main corpus: abstracts of ICLR submissions, labelled by their keywords."""

    raw = FETCHED
    downloaded = True
    label_setting = None
    labelled = True

    type: Literal["iclr"]
    version: Literal["24v1", "24v2"] = Field(
        "24v1",
        description="Version of the data set: `24v1` is the paper's (24,347 texts), `24v2` has 24,445. Both are "
        "fetched at a fixed commit and checked.",
    )

    @property
    def columns(self) -> Columns:
        """Those of the file in the data set's repository."""
        return self.resolved

    @property
    def resolved(self) -> UrlSource:
        """The file in the data set's repository at a commit, its columns, and the blob id that it is checked by."""
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
    """A data set of the Hugging Face hub; list cells are concatenated in order."""

    raw = COLLECTED
    columns = Columns(label="label")  # the collected table's, the same for all data sets
    downloaded = True
    label_setting = None
    labelled = True

    type: Literal["hub"]
    id: str = Field(min_length=1, description="Repository, for instance `mteb/biorxiv-clustering-p2p`.")
    revision: Commit | None = Field(
        None,
        description="Full commit hash, so that the texts can never change. Without it the newest is fetched; the log "
        "and `results/corpora/{corpus}.json` say which that was.",
    )
    split: Text = Field("test", description="Split of the data set.")
    text: Text = Field("sentences", description="Column with the texts, or with lists of texts.")
    label: Text = Field("labels", description="Column with the labels, or with lists of labels.")


class RelabelledSource(DerivedSource):
    """The texts of another corpus with coarser labels; they are embedded once for both."""

    same_texts = True

    type: Literal["relabelled"]
    corpus: Name = Field(description="The other corpus.")
    up_to: Text = Field(".", description="Labels are cut before the first of these.")


class SampleSource(DerivedSource):
    """A fixed random sample of another corpus."""

    same_texts = False

    type: Literal["sample"]
    corpus: Name = Field(description="The other corpus.")
    size: int = Field(ge=1, description="Number of texts.")
    seed: int = Field(42, ge=0, description="Seed of the draw.")


class CropsSource(Packs, DerivedSource):
    """Two crops of each text that runs hold out of another corpus, for scores that need no labels."""

    same_texts = False

    type: Literal["crops"]
    corpus: Name = Field(description="The other corpus.")
    held_out: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Part of the texts that recipes with the same `held_out` do not train on, from which crops are "
        "drawn; 0 takes all texts (for models that have seen none of them).",
    )
    size: int | None = Field(
        2000, ge=50, description="So many texts are drawn, if more have two crops; null takes all of them."
    )
    seed: int = Field(42, ge=0, description="Seed of the draws.")


class PythonDocsSource(OwnSource):
    """Docstrings of installed Python packages, read from source: real texts with labels, offline."""

    raw = COLLECTED
    columns = Columns(title="title", label="package")
    downloaded = False
    label_setting = None
    labelled = True

    type: Literal["python_docs"]
    packages: list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = Field(
        default=["sympy", "scipy", "torch", "networkx", "sklearn", "pandas", "numpy", "matplotlib"],
        min_length=1,
        description="Import names of the packages to read.",
    )


class Expected(Closed):
    """What a prepared corpus must have: other data are refused before anything is made from them."""

    rows: int | None = Field(
        None,
        ge=1,
        description="Texts of the prepared corpus: after empty, short and (with `deduplicate`) repeated texts are "
        "dropped. With `deduplicate: false` and no empty text, the rows of the source.",
    )
    labelled: int | None = Field(
        None, ge=0, description="Texts with a label, after `unlabelled` and `minimum_label_count`."
    )
    classes: int | None = Field(None, ge=0, description="Different labels of these texts.")

    @model_validator(mode="after")
    def possible(self):
        """At least one number; no more labelled texts than texts, and no more classes than labelled texts."""
        given = self.model_dump(exclude_none=True)
        if not given:
            raise ValueError("nothing is expected; allowed: at least one of rows, labelled, classes")
        for (more, most), (fewer, number) in combinations(given.items(), 2):
            if number > most:
                raise ValueError(f"{fewer} {number} is above {more} {most}; allowed: at most {most}")
        if self.labelled and self.classes == 0:
            raise ValueError(f"classes 0, but labelled {self.labelled}; allowed: at least 1 class")
        return self


class Corpus(Closed):
    """A table of texts: `id`, `text`, `label` (may be missing), `title` (may be missing)."""

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
    ) = Field(discriminator="type", description="Where the texts come from.")
    minimum_length: int = Field(1, ge=1, description="Shorter texts (in characters) are dropped.")
    minimum_label_count: int = Field(1, ge=1, description="Labels with fewer texts become 'no label'.")
    deduplicate: bool = Field(True, description="Keep only the first of identical texts.")
    expect: Expected | None = Field(
        None, description="What the prepared corpus must have; the job that makes it stops where the data differ."
    )
    seeds: Seeds | None = Field(
        None,
        description="Instead of the study's seeds, for models scored on it (large corpora cost much).",
    )
