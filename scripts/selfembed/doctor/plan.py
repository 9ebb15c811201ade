"""Hours and disk of a config on this machine."""

import shutil
from pathlib import Path

from selfembed.costs import disk
from selfembed.costs.hours import GPU, MOST_HOURS, available_cores, experiments_of_targets, hours, on
from selfembed.costs.sizes import Amounts
from selfembed.costs.work import ON_CPU, ON_GPU, Count, Job
from selfembed.doctor.findings import Finding


def check_hours(count: Count, on_gpu: bool) -> list[Finding]:
    """Estimate the hours of every figure and table and in total, from a start without results."""
    targets = experiments_of_targets(count.settings)
    findings = [
        Finding("ok", f"hours of {name}", estimate(count, experiments, on_gpu)[1])
        for name, experiments in targets.items()
        if experiments
    ]
    exports = count.exports()
    if exports:
        known = not any(job.path.split("/")[0] in count.unknown for job in exports)
        findings.append(Finding("ok", "hours of exports", in_hours(exports, known, on_gpu)[1]))
    total, found = estimate(count, list(count.settings.experiments), on_gpu, exports)
    if on_gpu or total <= MOST_HOURS:
        findings.append(Finding("ok", "hours in all", found))
    elif count.settings.device == "cpu":
        findings.append(Finding("warning", "hours in all", found))
    else:
        expected = f"expected: at most {MOST_HOURS} hours, a GPU, or device: cpu in the config"
        findings.append(Finding("error", "hours in all", f"{found}; {expected}"))
    if count.unknown:
        names = ", ".join(count.unknown)
        found = f"not estimated, because their sizes are not known before they are made: {names}"
        findings.append(Finding("warning", "hours", found))
    return findings


def estimate(
    count: Count, experiments: list[str], on_gpu: bool, others: dict[Job, Amounts] | None = None
) -> tuple[float, str]:
    """Hours of some experiments and of other jobs, as a number and in words."""
    known = all(count.is_known(item) for name in experiments for item in count.study.experiments[name])
    return in_hours(count.jobs(experiments) | (others or {}), known, on_gpu)


def on_both(count: Count, experiments: list[str]) -> str:
    """Hours of some experiments, in words: with a GPU unless the config excludes it, and without."""
    without = estimate(count, experiments, on_gpu=False)[1]
    if count.settings.device == "cpu":
        return without
    return f"{estimate(count, experiments, on_gpu=True)[1]}; or {without}"


def in_hours(jobs: dict[Job, Amounts], known: bool, on_gpu: bool) -> tuple[float, str]:
    """Hours of some jobs, as a number and in words; `known` is whether the sizes of all their texts are."""
    cores = available_cores()
    found = hours(jobs, GPU if on_gpu else cores)
    least = "" if known else "at least "
    if on_gpu:
        beside = f"{rounded(on(ON_CPU, found))} on 8 cores beside it"
        said = f"{least}{rounded(on(ON_GPU, found))} on a GPU (an H100), {beside}"
    else:
        said = f"{least}{rounded(found.total())} on {cores} cores"
    return found.total(), said


def rounded(value: float) -> str:
    """Hours in words."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def check_disk(count: Count, results: Path) -> Finding:
    """Compare the free space, and what results take already, with the largest size of all results."""
    keep = count.settings.keep
    needed = disk.peak(count, keep, available_cores()).total()
    there = sum(path.stat().st_size for path in results.rglob("*") if path.is_file()) if results.is_dir() else 0
    place = next(folder for folder in (results.absolute(), *results.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    found = f"{in_words(free)} free in {place}, and {in_words(there)} of results; largest size: {in_words(needed)}"
    if free + there >= needed:
        return Finding("ok", "disk", found)
    other = ""
    if keep != "results":
        least = disk.peak(count, "results", available_cores()).total()
        other = f", or keep: results ({in_words(least)})"
    return Finding("error", "disk", f"{found}; expected: more space{other}")


def in_words(size: float) -> str:
    """A size in words."""
    return (
        f"{size / 1e9:,.0f} GB" if size >= 1e10 else f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
    )
