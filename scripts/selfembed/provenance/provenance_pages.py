"""What made results, told to people: as text, and as a page of HTML whose steps are linked."""

import shlex
from html import escape
from pathlib import Path
from typing import Any

from selfembed.provenance.lineage import Lineage, sealed

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #222; }
code { font-size: 13px; overflow-wrap: anywhere; }
dt { font-weight: 600; margin-top: .4em; } dd { margin-left: 1.5em; }
article { border-top: 1px solid #ddd; margin-top: 1.5em; } :target h3 { background: #fff3c4; }
"""


def facts(found: Lineage) -> dict[str, list[str]]:
    """Data, code, versions and machines of a chain; several of a kind if its steps did not share them."""
    steps = list(found.made_by.values())
    return {
        "data": [f"{path} (SHA-256 {checksum})" for path, checksum in sorted(found.data.items())] or ["none"],
        "changed since": sorted(found.changed),
        "code": distinct(code(step) for step in steps),
        "versions": versions(steps),
        "machine": distinct(step["machine"] for step in steps),
    }


def distinct(words: Any) -> list[str]:
    """Each once, in their order."""
    return list(dict.fromkeys(words))


def code(step: dict[str, Any]) -> str:
    """The code of a step: git's commit, and a checksum that also tells changes that were not committed."""
    return f"commit {step['commit'] or 'unknown'} (SHA-256 {step['code']})"


def versions(steps: list[dict[str, Any]]) -> list[str]:
    """Python and packages of all steps, each version once."""
    found = {("Python", step["python"]) for step in steps}
    return [" ".join(pair) for pair in sorted(found | {pair for step in steps for pair in step["packages"].items()})]


def command(step: dict[str, Any]) -> str:
    """The command of a step, for a shell: its settings are its arguments."""
    return shlex.join(["python", f"scripts/{step['script']}", *step["arguments"]])


def answer(unit: Path, found: Lineage) -> str:
    """What made a result, as text."""
    lines = [str(unit)]
    for name, words in facts(found).items():
        if words:
            lines += [f"  {name}", *(f"    {word}" for word in words)]
    commands = distinct(map(command, found.made_by.values()))
    lines += [f"  settings, in {len(commands)} steps, the last one first"]
    return "\n".join(lines + [f"    {words}" for words in commands])


def page(units: list[Path], found: Lineage) -> str:
    """What made some results, as a page of HTML.

    Args:
        units: the results.
        found: their common chain.
    """
    summary = "".join(terms(name, map(escape, words)) for name, words in facts(found).items() if words)
    targets = "".join(f"<li>{link(unit)}</li>" for unit in units)
    steps = "".join(article(unit, step) for unit, step in found.made_by.items())
    return (
        f"<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>Provenance</title><style>{STYLE}</style>\n"
        f"<h1>Provenance</h1>\n<h2>Everything here follows from</h2>\n<dl>{summary}</dl>\n"
        f"<h2>Results</h2>\n<ul>{targets}</ul>\n<h2>Steps</h2>\n{steps}</html>\n"
    )


def terms(name: str, cells: Any) -> str:
    """A term with what it stands for; cells are HTML."""
    return f"<dt>{escape(name)}</dt>" + "".join(f"<dd><code>{cell}</code></dd>" for cell in cells)


def link(unit: Path) -> str:
    """A link to the step of a result."""
    return f"<a href='#{escape(str(unit))}'>{escape(str(unit))}</a>"


def article(unit: Path, step: dict[str, Any]) -> str:
    """The step that made a result: its command, inputs, code and machine."""
    inputs = (
        f"{link(maker) if (maker := sealed(path)) else escape(path)} {checksum}"
        for path, checksum in sorted(step["inputs"].items())
    )
    about = terms("settings", [escape(command(step))]) + terms("made from", inputs)
    about += terms("code", [escape(code(step))]) + terms("machine", [escape(step["machine"])])
    return f"<article id='{escape(str(unit))}'><h3>{escape(str(unit))}</h3><dl>{about}</dl></article>\n"
