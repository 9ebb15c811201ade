"""Progress of long steps in the log."""

import time
from dataclasses import dataclass, field

from selfembed.jobs.command_line import log


@dataclass
class Progress:
    """A counter of units of work that logs a line at most every `interval` seconds, and one at the end."""

    total: int
    unit: str
    interval: float = 5.0
    done: int = 0
    before: int = 0  # completed by an earlier job
    started: float = field(default_factory=time.monotonic)
    logged: float = field(default_factory=time.monotonic)

    def skip(self, amount: int) -> None:
        """Count units completed by an earlier job."""
        self.done += amount
        self.before += amount

    def advance(self, amount: int, note: str = "") -> None:
        """Count `amount` more units; `note` is appended to the log line."""
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
