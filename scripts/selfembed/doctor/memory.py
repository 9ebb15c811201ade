"""Memory for the largest training step, by a trial in a process of its own."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from selfembed.costs.work import Count
from selfembed.doctor.findings import Finding
from selfembed.settings.base import Packs
from selfembed.study.expansion import Model

ABOUT = "memory"
CGROUP = Path("/sys/fs/cgroup")
# glibc returns freed memory at once, so that one step does not count for the next.
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def check(count: Count, on_gpu: bool) -> list[Finding]:
    """Try the largest step of the study: as it is on a GPU; on a processor with small batches, to estimate it."""
    run = largest(count)
    if run is None:
        return [Finding("ok", ABOUT, "nothing is fine-tuned")]
    recipe, shape = count.study.recipes[run.recipe or ""], count.shapes[run.encoder]
    tokens = tokens_of(count, run)
    what = f"{run.encoder}, batch {recipe.batch_size}, {tokens} tokens in a text, {recipe.precision}"
    step = {
        "layers": shape.layers,
        "width": shape.width,
        "vocabulary": shape.vocabulary,
        "batch_size": recipe.batch_size,
        "tokens": tokens,
        "precision": recipe.precision,
        "lora": recipe.lora and recipe.lora.model_dump(),
        "device": "cuda" if on_gpu else "cpu",
        "threads": count.settings.threads.fine_tune,
    }
    command = [sys.executable, "-m", "selfembed.doctor.trial_step", json.dumps(step)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | GIVE_BACK)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"killed by signal {-done.returncode}"]
        return [Finding("error", ABOUT, f"the largest step ({what}) failed: {lines[-1][:300]}; expected: more memory")]
    found = json.loads(done.stdout.splitlines()[-1])
    said = f"largest step ({what}): {found['needed'] / 1e9:.1f} GB"
    if on_gpu:
        return [Finding("ok", ABOUT, f"{said} of the GPU, {found['seconds']:.2g} s")]
    available, limit = available_memory()
    said += f", estimated from small batches; available: {available / 1e9:.1f} GB ({limit})"
    if found["needed"] > available:
        return [Finding("error", ABOUT, f"{said}; expected: more memory, or a smaller batch_size")]
    return [Finding("ok", ABOUT, said)]


def largest(count: Count) -> Model | None:
    """The run with the largest step: weights, and activations of all texts of a batch."""

    def size(run: Model) -> float:
        shape, recipe = count.shapes[run.encoder], count.study.recipes[run.recipe or ""]
        weights = shape.width * (12 * shape.layers * shape.width + shape.vocabulary)
        return 4 * weights + 20 * 2 * recipe.batch_size * tokens_of(count, run) * max(1, shape.layers) * shape.width

    runs = dict.fromkeys(item.model for item in count.study.evaluations if item.model.recipe)
    return max(runs, key=size, default=None)


def tokens_of(count: Count, run: Model) -> int:
    """Tokens of a text of a batch on average; the largest number that is cut, if texts are not split into packs."""
    recipe = count.study.recipes[run.recipe or ""]
    is_pack = isinstance(recipe.augmentation, Packs)
    return min(recipe.max_length, round(count.pack(recipe)[1]) if is_pack else recipe.max_length)


def available_memory() -> tuple[float, str]:
    """Bytes that this process can still get, and the limit that says so."""
    found = {"of the machine": machine_memory()}
    for name, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        limit = CGROUP / name
        if limit.is_file() and (text := limit.read_text().strip()).isdigit():
            found["by the control group"] = int(text) - int((CGROUP / used).read_text())
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        found["by ulimit -v"] = soft
    limit = min(found, key=lambda name: found[name])
    return found[limit], limit


def machine_memory() -> float:
    """Bytes that Linux can give without swapping."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return 1024 * int(line.split()[1])
    return float("inf")
