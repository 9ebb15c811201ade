"""Checks across groups of settings: undefined names and invalid combinations, one line for each problem."""

import re
from collections.abc import Iterator
from typing import Any

from selfembed.settings.corpora import DerivedSource
from selfembed.settings.schema import Settings
from selfembed.settings.scores import LocalTask, numbers
from selfembed.study.checks.corpora import check_derived, check_expected
from selfembed.study.checks.encoders import check_encoder, check_local_task, with_own_modules
from selfembed.study.checks.experiments import check_experiment
from selfembed.study.checks.figures import check_figure, check_pages, check_table

TABLE_SUFFIXES = ("_summary", "_losses", "_maps")


def check(settings: Settings) -> Iterator[str]:
    """Yield one line for every undefined name and every invalid combination."""
    for name, corpus in settings.corpora.items():
        if isinstance(corpus.source, DerivedSource):
            yield from check_derived(f"corpora.{name}", corpus, settings)
        if corpus.expect:
            yield from check_expected(name, corpus, settings)
    for name, encoder in settings.encoders.items():
        yield from check_encoder(f"encoders.{name}", encoder, settings)
        if getattr(encoder, "prompt", None) is not None and name not in with_own_modules(settings):
            yield f"encoders.{name}.prompt: no entry uses pooling 'own' with '{name}'; expected: poolings: [own]"
    for name, task in settings.tasks.items():
        if name in settings.corpora:
            yield f"tasks.{name}: is also the name of a corpus; expected: another name"
        if isinstance(task, LocalTask):
            yield from check_local_task(f"tasks.{name}", task, settings)
    for name, experiment in settings.experiments.items():
        if name.endswith(TABLE_SUFFIXES):
            endings = ", ".join(map(repr, TABLE_SUFFIXES))
            yield f"experiments.{name}: names that end in {endings} are reserved for tables; expected: another name"
        yield from check_experiment(f"experiments.{name}", experiment, settings)
    for name, score in settings.scores.items():
        for other in numbers(name, score):
            if other != name and other in settings.scores:
                yield f"scores.{other}: the name is used by a number of score '{name}'; expected: another name"
    for name, figure in settings.figures.items():
        yield from check_figure(f"figures.{name}", figure, settings)
    yield from check_precision(settings)
    yield from check_pages(settings)
    for name, table in settings.tables.items():
        yield from check_table(f"tables.{name}", table, settings)
    yield from check_markup("", settings.model_dump(mode="json"))


def check_precision(settings: Settings) -> Iterator[str]:
    """Yield one line for every precision that the set device does not have."""
    groups = {f"recipes.{name}": recipe for name, recipe in settings.recipes.items()}
    for key, group in (groups | {"embedding": settings.embedding, "mteb": settings.mteb}).items():
        if settings.device == "cpu" and group.precision == "tf32":
            yield f"{key}.precision: 'tf32' is computed by GPUs alone; expected with device: cpu: fp32 or bf16"


def check_markup(key: str, item: Any) -> Iterator[str]:
    """Yield one line for every text with script tags or comments: Snakemake's report does not escape parameters."""
    if isinstance(item, dict | list):
        for name, part in item.items() if isinstance(item, dict) else enumerate(item):
            yield from check_markup(f"{key}.{name}".removeprefix("."), part)
    elif isinstance(item, str) and re.search(r"</?script|<!--", item, flags=re.IGNORECASE):
        yield f"{key}: {item!r} contains markup; expected: text without <script, </script and <!--"
