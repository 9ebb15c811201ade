"""Raw files, corpora and downloads."""

from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path

from selfembed.jobs.packages import installed_version
from selfembed.settings.corpora import DerivedSource, HubSource, IclrSource, OwnSource, TableSource
from selfembed.settings.encoders import HubEncoder
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Knn, RegistryTask, Split
from selfembed.texts import text_files
from selfembed.workflow.flags import Wildcards, flags, named, one_of


class Corpora:
    """Input and parameter functions of the rules for corpora."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sources = {name: corpus.source for name, corpus in settings.corpora.items()}

    def of(self, *kinds: str | type) -> str:
        """Pattern of the names of all corpora with some kinds of source."""
        return named(self.sources, *kinds)

    def cleaned(self) -> str:
        """Pattern of the names of all corpora that are not derived from another."""
        return one_of(name for name, source in self.sources.items() if not isinstance(source, DerivedSource))

    def source(self, wildcards: Wildcards):
        """Source of a corpus; for a known data set, its address and columns."""
        source = self.sources[wildcards.corpus]
        return source.columns if isinstance(source, IclrSource) else source

    def source_flags(
        self, omit: tuple[str, ...] = (), keep: tuple[str, ...] | None = None
    ) -> Callable[[Wildcards], str]:
        """Return a parameter function: the source of a corpus as flags."""
        return lambda wildcards: flags(self.source(wildcards), omit=omit, keep=keep)

    def raw_file(self, wildcards: Wildcards) -> str:
        return self.sources[wildcards.corpus].raw_file(wildcards.corpus)

    def reading_flags(self, wildcards: Wildcards) -> str:
        """Flags for reading and cleaning a raw file."""
        corpus = self.settings.corpora[wildcards.corpus]
        columns = flags(corpus.source.columns, omit=("type", "path", "url", "sha256", "git_blob", "colors"))
        return f"{columns} {flags(corpus, omit=('source', 'expect', 'seeds', 'embedding_jobs'))}"

    def expected(self, wildcards: Wildcards) -> str:
        """Expected sizes of a corpus as flags."""
        expect = self.settings.corpora[wildcards.corpus].expect
        numbers = {} if expect is None else expect.model_dump(exclude_none=True)
        return " ".join(f"--expect-{name} {number}" for name, number in numbers.items())

    def expected_of_made(self, wildcards: Wildcards, output) -> str:
        """Expected sizes of a new corpus, and columns that its file must have for the map, as flags.

        A function of `output`, whose changes rerun nothing: what is expected changes no corpus. Where a corpus exists
        already, its description and map are made anew, and check it.
        """
        source = self.sources[wildcards.corpus]
        colors = flags(source, keep=("colors",)) if isinstance(source, TableSource) else ""
        return f"{self.expected(wildcards)} {colors}".strip()

    def origin(self, wildcards: Wildcards) -> str | list[str]:
        """File with the revision of a corpus from the Hub."""
        is_of_hub = isinstance(self.sources[wildcards.corpus], HubSource)
        return f"<results>/sources/{wildcards.corpus}.json" if is_of_hub else []

    def raw_folder(self, wildcards: Wildcards) -> str:
        return self.sources[wildcards.corpus].path

    def folder_state(self, wildcards: Wildcards):
        """State of a folder of texts, as a parameter: thousands of files would be too many inputs."""
        return text_files.state(Path(self.raw_folder(wildcards)), self.sources[wildcards.corpus].extension)

    def keyword_classes(self, wildcards: Wildcards) -> str | list[str]:
        """Table of keywords that determine the labels of a corpus."""
        return getattr(self.sources[wildcards.corpus], "keyword_classes", None) or []

    def original(self, wildcards: Wildcards) -> str:
        """The corpus that another is derived from."""
        return f"<results>/corpora/{self.sources[wildcards.corpus].corpus}.parquet"

    def package_versions(self, wildcards: Wildcards) -> dict[str, str | None]:
        """Versions of the packages of a corpus of docstrings, so that updates rerun it."""
        packages = self.sources[wildcards.corpus].packages
        named_otherwise = [package for package in packages if installed_version(package) is None]
        # Takes half a second: it reads the lists of files of all packages.
        distributions = packages_distributions() if named_otherwise else {}
        names = {distributions.get(package, [package])[0] for package in packages}
        return {name: installed_version(name) for name in sorted(names)}

    def knn_split(self) -> str:
        """Split of the first kNN score of the config as flags; the default split without a kNN score."""
        scores = [score for score in self.settings.scores.values() if isinstance(score, Knn)]
        return flags(scores[0] if scores else Split(), keep=tuple(Split.model_fields))


def downloads(settings: Settings) -> list[str]:
    """Return all files that a config needs from the network."""
    sources = {name: corpus.source for name, corpus in settings.corpora.items()}
    return [
        *(item.raw_file(name) for name, item in sources.items() if isinstance(item, OwnSource) and item.downloaded),
        *(f"<results>/encoders/{name}" for name, item in settings.encoders.items() if isinstance(item, HubEncoder)),
        *(f"<results>/tasks/{name}" for name, item in settings.tasks.items() if isinstance(item, RegistryTask)),
    ]
