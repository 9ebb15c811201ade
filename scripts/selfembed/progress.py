"""How far a long step is, as a line in its log at a sane rate."""

import time
from dataclasses import dataclass, field

from selfembed.command_line import log


@dataclass
class Progress:
    """Counts units of work and logs a line at most every `interval` seconds, and one at the end.

    Args:
        before: units that were done before, by a call that was cut off.
    """

    total: int
    unit: str
    interval: float = 5.0
    before: int = 0
    done: int = field(init=False)
    started: float = field(default_factory=time.monotonic)
    logged: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.done = self.before

    def advance(self, amount: int, note: str = "") -> None:
        """Count `amount` more units; `note` is added to the line."""
        self.done += amount
        now = time.monotonic()
        if self.done < self.total and now - self.logged < self.interval:
            return
        self.logged = now
        rate = (self.done - self.before) / max(now - self.started, 1e-9)
        left = (self.total - self.done) / rate
        log.info(
            "%d of %d %s (%.0f %%), %.3g per second, %.0f s left%s",
            self.done,
            self.total,
            self.unit,
            100 * self.done / self.total,
            rate,
            left,
            f", {note}" if note else "",
        )
