"""What the checks find: lines with `ok`, `warning` or `error`."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One line: the level, what was checked, and what was found."""

    level: Level
    about: str
    found: str

    def __str__(self) -> str:
        """Return the line, in columns."""
        return f"{self.level:<8} {self.about:<36} {self.found}"


def number(level: Level, findings: list[Finding]) -> int:
    """Number of findings of a level."""
    return sum(finding.level == level for finding in findings)
