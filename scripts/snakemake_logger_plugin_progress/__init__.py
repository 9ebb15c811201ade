"""A logger of Snakemake that shows one line: jobs done, what runs, and about how long the rest takes.

Errors, warnings and the logs of failed jobs are printed as by Snakemake itself; its log file contains everything else.
Use: `snakemake --logger progress`.
"""

import logging
import sys
import threading
import time
from collections import Counter, defaultdict

from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

# Seconds of a job by rule, with 1,000 abstracts on two cores; only their ratios matter once jobs have finished.
USUAL = {"fine_tune": 60, "embed": 10, "import_encoder": 8, "compute_tsne": 8, "draw_interactive_map": 8}
OTHER = 2  # seconds of a job of another rule
TELL = {LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR, LogEvent.ERROR}
INTERVALS = {True: 1, False: 30}  # seconds between lines, in a terminal and in a file


class Progress:
    """Numbers of jobs by rule, and the time that the remaining ones take."""

    def __init__(self, clock=time.monotonic) -> None:
        self.clock = clock
        self.started = clock()
        self.total = 0
        self.waiting: Counter[str] = Counter()
        self.running: dict[int, tuple[str, float]] = {}
        self.finished: dict[str, list[float]] = defaultdict(list)

    def plan(self, numbers: dict[str, int]) -> None:
        """Take the numbers of jobs by rule; the entry `total` is their sum."""
        self.waiting = Counter({rule: number for rule, number in numbers.items() if rule != "total"})
        self.total = self.waiting.total()

    def start(self, job: int, rule: str) -> None:
        """Count a job as running."""
        self.running[job] = (rule, self.clock())

    def finish(self, job: int) -> None:
        """Count a job as finished."""
        if job in self.running:
            rule, started = self.running.pop(job)
            self.finished[rule].append(self.clock() - started)
            self.waiting[rule] -= 1

    def seconds_left(self) -> float:
        """Estimate the time of the remaining jobs.

        A job takes the mean time of finished jobs of its rule or, without any, its usual time in proportion to the
        usual times of all finished jobs. As many jobs run at the same time as so far.
        """
        done = sum(map(sum, self.finished.values()))
        usual = sum(USUAL.get(rule, OTHER) * len(times) for rule, times in self.finished.items())
        scale = done / usual if done else 1
        left = 0.0
        for rule, number in self.waiting.items():
            times = self.finished.get(rule)
            left += number * (sum(times) / len(times) if times else scale * USUAL.get(rule, OTHER))
        now = self.clock()
        spent = sum(now - started for _, started in self.running.values())
        at_a_time = max(1.0, (done + spent) / max(now - self.started, 1e-9))
        return max(0.0, left - spent) / at_a_time

    def line(self) -> str:
        """Describe the state in a line."""
        rules = Counter(rule.replace("_", " ") for rule, _ in self.running.values())
        running = ", ".join(rule if number == 1 else f"{rule} ({number})" for rule, number in sorted(rules.items()))
        done = self.total - self.waiting.total()
        return f"{done} of {self.total} jobs done; about {minutes(self.seconds_left())} left; now: {running or '-'}"

    def last_line(self) -> str:
        """Describe the end in a line."""
        done = self.total - self.waiting.total()
        return f"{done} of {self.total} jobs done in {minutes(self.clock() - self.started)}"


def minutes(seconds: float) -> str:
    """Format a time: `40 s`, `3 min`, `2 h 5 min`."""
    if seconds < 60:
        return f"{10 * max(1, round(seconds / 10))} s"
    whole = round(seconds / 60)
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60} min"


class LogHandler(LogHandlerBase):
    """The logger that Snakemake loads."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Prepare the line; a thread shows it anew while jobs run."""
        self.progress = Progress()
        self.setFormatter(DefaultFormatter(show_failed_logs=self.common_settings.show_failed_logs))
        self.in_terminal = sys.stderr.isatty()
        self.shown = ""
        self.ended = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Count what has happened, or print what must be read."""
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                self.progress.plan(record.stats)  # ty: ignore[missing-attribute]
                threading.Thread(target=self.show_until_the_end, daemon=True).start()
            case LogEvent.JOB_INFO:
                self.progress.start(record.jobid, record.rule_name)  # ty: ignore[missing-attribute]
            case LogEvent.JOB_FINISHED:
                self.progress.finish(record.job_id)  # ty: ignore[missing-attribute]
            case event if event in TELL or record.levelno >= logging.WARNING:
                self.clear()
                print(self.format(record), file=sys.stderr, flush=True)

    def show_until_the_end(self) -> None:
        """Show the line at intervals."""
        while True:
            self.show()
            if self.ended.wait(INTERVALS[self.in_terminal]):
                return

    def show(self) -> None:
        """Show the line: over the one before in a terminal, in a file only if it is another one."""
        line = self.progress.line()
        if self.in_terminal:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        elif line != self.shown:
            print(line, file=sys.stderr, flush=True)
        self.shown = line

    def clear(self) -> None:
        """Remove the line from a terminal."""
        if self.in_terminal and self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the line; the last one says how many jobs were done, in a file, too."""
        if not self.ended.is_set():
            self.ended.set()
            self.clear()
            if self.progress.total and not self.common_settings.dryrun:
                print(self.progress.last_line(), file=sys.stderr, flush=True)
        super().close()
