"""All checks, in the order of a run."""

from collections.abc import Iterator
from pathlib import Path

from selfembed.costs.work import Count
from selfembed.doctor import gpu, memory, plan
from selfembed.doctor.findings import Finding
from selfembed.settings.schema import Settings
from selfembed.study import expansion


def check(settings: Settings, offline: bool) -> Iterator[Finding]:
    """Yield the findings about a config on this machine."""
    results = Path("results", settings.folder)
    count = Count.here(settings, expansion.expand(settings))
    found, on_gpu = gpu.check(settings.device)
    yield found
    yield from memory.check(count, on_gpu)
    yield plan.check_disk(count, results)
    from selfembed.doctor import availability

    if offline:
        yield from availability.check_offline(settings, results)
    else:
        yield availability.check_clock()
        yield from availability.check(settings, results)
    yield from plan.check_hours(count, on_gpu)
