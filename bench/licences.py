"""The licences of everything that the lock installs, as a page: docs/licences.md. Run with the lock installed."""

import argparse
import re
from importlib.metadata import Distribution, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"


def locked() -> dict[str, str]:
    """Versions by package."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE))


def licence(package: Distribution) -> str:
    """What a package says of its licence: an SPDX expression, else classifiers, a word, or its licence file's title.

    Raises ValueError if it says nothing.
    """
    told = package.metadata
    classifiers = [line.split(" :: ") for line in told.get_all("Classifier", []) if line.startswith("License :: ")]
    names = " or ".join(words[-1] for words in classifiers if words[-1] != "OSI Approved")
    short = (told.get("License") or "").strip()
    short = short if len(short) < 40 else ""
    found = told.get("License-Expression") or names or short or title_of_file(package)
    if not found:
        raise ValueError(f"{told['Name']}: no licence in its metadata or files; needed: one that can be told")
    return found


def title_of_file(package: Distribution) -> str:
    """The first line of a package's licence file."""
    files = [path for path in package.files or [] if re.match(r"(LICEN[CS]E|COPYING)", path.name)]
    lines = files[0].locate().read_text(encoding="utf-8").split("\n") if files else []
    return next((line.strip() for line in lines if line.strip()), "")


def page(versions: dict[str, str]) -> str:
    """The page, in Markdown."""
    rows = [f"| {name} | {version} | {licence(distribution(name))} |" for name, version in sorted(versions.items())]
    return "\n".join(
        [
            "<!-- Made by `python bench/licences.py`; change that script or the lock, not this page. -->",
            "",
            "# Licences of what the lock installs",
            "",
            "In the words of the packages themselves. selfembed's own licence is in [LICENSE](../LICENSE).",
            "",
            "| package | version | licence |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    PAGE.write_text(page(locked()), encoding="utf-8")


if __name__ == "__main__":
    main()
