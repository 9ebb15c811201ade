"""A tiny study in a copy of the checkout, for tests that break it."""

import random
from hashlib import sha256
from pathlib import Path

from workflow_runs import copy_of_checkout

CONFIG = ("--configfile", "tests/reliability/tiny.yaml")
KEEP = ("--config", "keep=results")
TOPICS = {
    "rivers": ["water", "bank", "flood", "bridge", "delta", "stream"],
    "stars": ["light", "orbit", "planet", "telescope", "sky", "comet"],
    "bread": ["flour", "oven", "yeast", "dough", "crust", "salt"],
}
FILLERS = ["the", "a", "slow", "bright", "old", "little", "near", "under", "with", "again"]


def notes(texts: int = 90) -> str:
    """A CSV table of short texts about three topics, always the same."""
    generator = random.Random(7)
    rows = ["title,text,topic"]
    for number in range(texts):
        topic = sorted(TOPICS)[number % 3]
        sentences = [
            " ".join(generator.choice(TOPICS[topic] + FILLERS) for _ in range(8)).capitalize() + "." for _ in range(4)
        ]
        rows.append(f"note {number},{' '.join(sentences)},{topic}")
    return "\n".join(rows) + "\n"


def tiny_study(folder: Path) -> Path:
    """A copy of the checkout with the texts of the tiny study."""
    copy_of_checkout(folder)
    (folder / "notes.csv").write_text(notes(), encoding="utf-8")
    return folder


def fingerprints(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of results and figures, seals included, by path."""
    files = (path for top in ("results", "figures") for path in (folder / top).rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != ".snakemake_timestamp"
    }
