"""Encoders, base models, pairs, runs and embeddings."""

import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs.model_paths import identity
from selfembed.models import checkpoints, own_modules
from selfembed.settings.encoders import BagOfWords, EmbeddingLayerEncoder, FolderEncoder, TrainedTokenizer
from selfembed.settings.schema import Settings
from selfembed.study.expansion import Model, Study, base_of, pairs_name
from selfembed.workflow.flags import Wildcards, flags, named

PARTS = "embeddings_in_parts"  # folder below that of the results


class Models:
    """Input and parameter functions of the rules for encoders, runs and embeddings."""

    def __init__(self, settings: Settings, study: Study) -> None:
        self.settings = settings
        self.study = study

    def of(self, *kinds: str | type) -> str:
        """Pattern of the names of all encoders of some kinds."""
        return named(self.settings.encoders, *kinds)

    def encoder(self, wildcards: Wildcards):
        return self.settings.encoders[wildcards.encoder]

    def encoder_flags(
        self, omit: tuple[str, ...] = (), keep: tuple[str, ...] | None = None
    ) -> Callable[[Wildcards], str]:
        """Return a parameter function: the settings of an encoder as flags."""
        return lambda wildcards: flags(self.encoder(wildcards), omit=omit, keep=keep)

    def encoder_files(self, wildcards: Wildcards) -> list[str]:
        """Files of an encoder in a local folder, of its modules and its adapter, so that changes rerun the import."""
        encoder = self.encoder(wildcards)
        if not isinstance(encoder, FolderEncoder):
            return []
        files = checkpoints.files(Path(encoder.path))
        with suppress(InputError):  # the import tells it
            files += own_modules.files(Path(encoder.path))
        if encoder.adapter is not None:
            adapter = Path(encoder.adapter).iterdir()
            files += [path for path in adapter if path.suffix in {".json", ".bin", ".safetensors"}]
        return sorted(map(str, files))

    def hub_flags(self, wildcards: Wildcards) -> str:
        """Encoder of the Hub and its adapter as flags."""
        encoder = self.encoder(wildcards)
        words = flags(encoder, omit=("type", "max_length", "prompt", "adapter"))
        return words if encoder.adapter is None else f"{words} {flags(encoder.adapter, prefix='adapter-')}"

    def tokenizer(self, wildcards: Wildcards) -> str:
        """Folder of the tokenizer of a random encoder."""
        tokenizer = self.encoder(wildcards).tokenizer
        if isinstance(tokenizer, TrainedTokenizer):
            return f"<results>/tokenizers/{wildcards.encoder}"
        return f"<results>/encoders/{tokenizer.borrow_from}"

    def tokenizer_corpus(self, wildcards: Wildcards) -> str:
        """The corpus that a tokenizer is trained on."""
        return f"<results>/corpora/{self.encoder(wildcards).tokenizer.train_on}.parquet"

    def tokenizer_flags(self, wildcards: Wildcards) -> str:
        return flags(self.encoder(wildcards).tokenizer, omit=("train_on",))

    def embeddings_owner(self, wildcards: Wildcards) -> str:
        """Base model whose embedding layer or module is used."""
        return f"<results>/models/base/{self.encoder(wildcards).of}{wildcards.seed_folder}"

    def embeddings_flags(self, wildcards: Wildcards) -> str:
        """Part of a base model that is used, as flags."""
        encoder = self.encoder(wildcards)
        part = "layer" if isinstance(encoder, EmbeddingLayerEncoder) else "module"
        return f"--part {part} --max-length {encoder.max_length}"

    def counted_base(self, wildcards: Wildcards) -> str:
        """Base model that word counts are put beside."""
        return f"<results>/models/base/{self.encoder(wildcards).of}"

    def counted_corpus(self, wildcards: Wildcards) -> str:
        """Corpus that word counts are fitted on."""
        return f"<results>/corpora/{self.encoder(wildcards).corpus}.parquet"

    def pairs_flags(self, wildcards: Wildcards) -> str:
        """Settings of pairs as flags."""
        recipe = self.study.pairs[wildcards.augmentation]
        return f"{flags(recipe.augmentation, omit=('mask_fraction',))} --held-out {recipe.held_out}"

    def run(self, wildcards: Wildcards) -> Model:
        return Model(wildcards.encoder, int(wildcards.seed), wildcards.corpus, wildcards.recipe)

    def run_base(self, wildcards: Wildcards) -> str:
        """The base model that a run starts from."""
        return f"<results>/models/{base_of(self.run(wildcards), self.settings).path}"

    def run_pairs(self, suffix: str) -> Callable[[Wildcards], str]:
        """Return an input function: the pairs of a run (`.parquet`) or their settings (`.json`)."""
        return lambda wildcards: f"<results>/pairs/{self.pairs_of(self.run(wildcards))}{suffix}"

    def pairs_of(self, run: Model) -> str:
        """Path of the pairs of a run below `results/pairs/`, without suffix."""
        recipe = self.study.recipes[run.recipe]  # ty: ignore[invalid-argument-type] a run has a recipe
        return f"{run.corpus}/{pairs_name(recipe)}/epochs-{recipe.epochs}/seed-{run.seed}"

    def run_flags(self, wildcards: Wildcards) -> str:
        """Settings of a run, except its pairs and seed, as flags."""
        recipe = self.study.recipes[wildcards.recipe]
        words = [flags(recipe, omit=("augmentation", "epochs", "held_out"))]
        words += [flags(recipe.augmentation, keep=("mask_fraction",))]
        kept = self.study.kept_steps.get(self.run(wildcards).path)
        words += [f"--keep {' '.join(kept)}"] if kept else []
        return " ".join(words)

    def run_may_diverge(self, wildcards: Wildcards) -> int:
        """1 if divergence is a result, because only sweeps request the run; 0 if it is an error."""
        return int(self.run(wildcards).path in self.study.may_diverge)

    def embedded_parts(self, wildcards: Wildcards) -> list[str]:
        """Embeddings of the parts of a corpus that are merged; none if one job embeds all texts.

        A bag of words is fitted on all texts, and exports are embedded by another rule.
        """
        jobs = self.settings.corpora[wildcards.corpus].embedding_jobs
        encoder = self.settings.encoders.get(identity(wildcards.model)["encoder"])
        if jobs == 1 or encoder is None or isinstance(encoder, BagOfWords):
            return []
        folder = f"<results>/{PARTS}/{wildcards.corpus}/{wildcards.model}/{wildcards.step}/{wildcards.selection}"
        return [f"{folder}/{number}-of-{jobs}" for number in range(1, jobs + 1)]

    def embedding_flags(self, wildcards: Wildcards) -> str:
        """Settings of an embedding as flags: poolings and layers of a selection, maximum length, threads."""
        encoder = self.settings.encoders[identity(wildcards.model)["encoder"]]
        if isinstance(encoder, BagOfWords):
            return ""
        poolings, layers = (words.split("-") for words in wildcards.selection.split("_"))
        words = ["--layers", *layers, "--poolings", *poolings, "--max-length", str(encoder.max_length)]
        return f"{shlex.join(words)} {flags(self.settings.embedding)} --threads {self.settings.threads.embed}"
