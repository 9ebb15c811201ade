"""What the files of the rules say, read as text."""

import re
from pathlib import Path

RULES = Path(__file__).parents[1] / "rules"
HEAD = re.compile(r"^(?:rule|use rule (\w+) as) (\w+)(?: with)?:\n((?:(?:    .*)?\n)+)", re.M)
DIRECTIVE = re.compile(r"^    (\w+):(.*\n(?:(?:        .*)?\n)*)", re.M)


def directives(folder: Path = RULES) -> dict[str, dict[str, str]]:
    """Text of every directive of every rule, in the order of the files; `docstring` for what it starts with.

    A rule made by `use rule a as b with:` has the directives of `a` that it does not state itself.
    """
    found: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("*.smk")):
        for base, name, body in HEAD.findall(path.read_text(encoding="utf-8")):
            docstring = re.match(r'\s*"""(.*?)"""', body, re.S)
            own = {"docstring": docstring[1]} if docstring else {}
            own |= {directive: text.strip() for directive, text in DIRECTIVE.findall(body)}
            inherited = {key: text for key, text in found.get(base, {}).items() if key != "docstring"}
            found[name] = inherited | own
    return found
