"""Results in a storage such as S3 (`--default-storage-provider`): Snakemake copies inputs and outputs of each job.

What a step writes beside an output has to be copied, too, because other steps and `selfembed lineage` read it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selfembed.jobs import seals
from selfembed.study.expansion import BENCHMARK
from selfembed.workflow.flags import Wildcards


def beside(output: Path) -> list[Path]:
    """Return what belongs to an output that Snakemake does not know of.

    The seal; for scores on MTEB tasks, also the folder with the scores on each of them.
    """
    found = [seals.place(output)]
    if f"/scores/{BENCHMARK}/" in output.as_posix():
        found.append(output.with_suffix(""))
    return found


def is_used(workflow: Any) -> bool:
    """Return whether results are in a storage."""
    return workflow.storage_settings.default_storage_provider is not None


def copy_what_is_beside(readable: Any, writable: Any) -> None:
    """Let Snakemake copy what belongs to an output whenever it copies the output.

    Args:
        readable: Snakemake's class of objects in a storage that can be read, whose method `managed_retrieve` is
            replaced.
        writable: the same for writing and `managed_store`.
    """
    retrieve, store = readable.managed_retrieve, writable.managed_store

    async def managed_retrieve(item: Any) -> None:
        await retrieve(item)
        for other in objects_beside(item):
            if await other.managed_exists():
                await retrieve(other)

    async def managed_store(item: Any) -> None:
        await store(item)
        for other in objects_beside(item):
            if other.local_path().exists():
                await store(other)

    readable.managed_retrieve = managed_retrieve
    writable.managed_store = managed_store


def objects_beside(item: Any) -> list[Any]:
    """Return what belongs to an output in a storage, as objects in the storage."""
    folder = item.query.rpartition("/")[0]
    found = []
    for path in beside(Path(item.local_path())):
        other = type(item)(f"{folder}/{path.name}", item.keep_local, item.retrieve, item.provider)
        other.set_local_path(path)
        found.append(other)
    return found


def name_logs_by_rule(rules: Any) -> None:
    """Let logs in a storage be named after `pathvars` of their rule; Snakemake (9.27) knows only those of the workflow.

    Args:
        rules: Snakemake's class of rules, whose method `apply_path_modifier` is replaced.
    """
    modify = rules.apply_path_modifier

    def apply_path_modifier(rule: Any, item: Any, modifier: Any, property: str | None = None) -> Any:
        if property in ("log", "benchmark") and isinstance(item, str):
            item = rule.pathvars.apply(item)
        return modify(rule, item, modifier, property=property)

    rules.apply_path_modifier = apply_path_modifier


def local_copies(workflow: Any) -> str:
    """Return the folder in which jobs find and write local copies: a file X of the storage is X in this folder."""
    prefix = (workflow.storage_settings.default_storage_prefix or "").rstrip("/")
    item = workflow.storage_registry.default_storage_provider.object(f"{prefix}/x")
    return os.path.dirname(item.local_path())


def taken_from_sources(
    files: Callable[[Wildcards], str | list[str]], mark: Callable[[str, str], str]
) -> Callable[[Wildcards], list[str]]:
    """Return an input function whose files are not in the storage, except those that rules make.

    Args:
        mark: Snakemake's function for files that come with the sources of a workflow.
    """

    def found(wildcards: Wildcards) -> list[str]:
        paths = files(wildcards)
        return [
            path if path.startswith("<results>/") else mark(path, path)
            for path in ([paths] if isinstance(paths, str) else paths)
        ]

    return found
