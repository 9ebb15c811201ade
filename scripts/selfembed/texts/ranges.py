"""Ranges of the values of a column, if these are numbers or dates, so that a map can be coloured by them."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

MOST_RANGES = 12  # colours of a scale that can be told apart
MOSTLY = 0.95  # minimum fraction of values that are numbers, or dates; others are in no range
MOST_IN_A_RANGE = 0.7  # of the values; if equally wide ranges are more uneven, ranges of equally many values are used
LARGEST = 1e300  # number; differences of larger ones overflow
DATE = r"^(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ].*)?$"  # ISO 8601: a month or a day, with or without a time
DAYS = (1, 7)  # widths of ranges of dates
MONTHS = (1, 3, 12, 24, 60, 120, 240, 600, 1200)
MONDAY = 3  # days from a Monday to 1970-01-01


@dataclass(frozen=True)
class Ranges:
    """Ranges in ascending order, and the range of every value.

    Attributes:
        names: such as `2010 – 2019`.
        numbers: range of every value, -1 if it is in none; integer, shape (values,).
    """

    names: list[str]
    numbers: np.ndarray


def find_ranges(values: pd.Series) -> Ranges | None:
    """Return ranges of the values, or None if these are neither numbers nor dates.

    At most MOST_RANGES different numbers have a range each. More are divided into equally wide ranges between round
    numbers, and dates into days, weeks, months, quarters or years; if most of the values are in one of these, into
    ranges with about equally many values.

    Args:
        values: strings; missing values are allowed, shape (values,).
    """
    for read, divide in ((as_numbers, divide_numbers), (as_days, divide_days)):
        read_values = read(values)
        known = np.isfinite(read_values)
        if known.any() and known.sum() >= MOSTLY * values.notna().sum():
            names, found = divide(read_values[known])
            numbers = np.full(len(values), -1)
            numbers[known] = found
            return Ranges(names, numbers)
    return None


def as_numbers(values: pd.Series) -> np.ndarray:
    """Return values as float64; NaN where they are no numbers or above LARGEST."""
    numbers = pd.to_numeric(values.astype(object), errors="coerce").to_numpy(float)
    numbers = np.where(np.abs(numbers) <= LARGEST, numbers, np.nan)
    return np.where(np.abs(numbers) < 1 / LARGEST, 0, numbers)


def as_days(values: pd.Series) -> np.ndarray:
    """Return dates as days since 1970-01-01, float64; NaN where values are no dates. Times are ignored."""
    parts = values.astype("string").str.extract(DATE)
    parts[2] = parts[2].fillna("01")
    dates = pd.to_datetime(parts[0] + "-" + parts[1] + "-" + parts[2], format="%Y-%m-%d", errors="coerce")
    days = dates.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(float))


def divide_numbers(values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return the names of ranges, and the range of every value, shape (values,)."""
    different, places = np.unique(values, return_inverse=True)
    whole = bool((values % 1 == 0).all())
    if len(different) <= MOST_RANGES:
        return told(different, different, whole), places
    digits = int(np.floor(np.log10(np.ptp(values)))) - 1
    widths = (factor * 10.0**power for power, factor in product(range(digits, digits + 3), (1, 2, 5)))
    for width in widths:
        if whole and width < 1:
            continue
        starts = np.floor(values / width + 1e-9)
        if np.ptp(starts) < MOST_RANGES:
            break
    if is_uneven(starts):
        return divide_evenly(values, lambda low, high: told(low, high, whole))
    low = np.arange(starts.min(), starts.max() + 1) * width
    return told(low, low + width - whole, whole), (starts - starts.min()).astype(int)


def divide_days(days: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return the names of ranges of days since 1970-01-01, and the range of every value, shape (values,)."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]").astype(int)
    units = [((days.astype(int) + MONDAY * (width > 1)) // width, width, "D") for width in DAYS]
    units += [((months + 1970 * 12) // width, width, "M") for width in MONTHS]
    starts, width, unit = next((each for each in units if np.ptp(each[0]) < MOST_RANGES), units[-1])
    if is_uneven(starts) and len(np.unique(days)) > MOST_RANGES:
        return divide_evenly(
            days,
            lambda low, high: between(*(side.astype("datetime64[D]").astype(str).tolist() for side in (low, high))),
        )
    every = np.arange(starts.min(), starts.max() + 1) * width
    origin = MONDAY * (width > 1) if unit == "D" else 1970 * 12
    first, last = (
        (every - origin + step).astype(f"datetime64[{unit}]").astype(str).tolist() for step in (0, width - 1)
    )
    if unit == "M" and width >= 12:
        first, last = ([name[:4] for name in side] for side in (first, last))
    return between(first, last), starts - starts.min()


def is_uneven(numbers: np.ndarray) -> bool:
    """Return whether most values are in the same range."""
    return np.unique(numbers, return_counts=True)[1].max() > MOST_IN_A_RANGE * len(numbers)


def divide_evenly(values: np.ndarray, name) -> tuple[list[str], np.ndarray]:
    """Return the names of ranges with about equally many values, and the range of every value, shape (values,).

    Args:
        name: function of the smallest and the largest value of every range that returns the names.
    """
    starts = np.unique(np.quantile(values, np.arange(MOST_RANGES) / MOST_RANGES, method="lower"))
    places = np.searchsorted(starts, values, side="right") - 1
    ends = np.array([values[places == place].max() for place in range(len(starts))])
    return name(starts, ends), places


def told(low: np.ndarray, high: np.ndarray, whole: bool) -> list[str]:
    """Return the names of ranges of numbers, with as many digits as tell them apart."""
    if whole:
        return between(*([str(int(number)) for number in side] for side in (low, high)))
    names = (between(*([f"{number:.{digits}g}" for number in side] for side in (low, high))) for digits in (4, 8, 17))
    return next(found for found in names if len(set(found)) == len(found))


def between(first, last) -> list[str]:
    """Return `first – last`, or one name where both are the same."""
    return [one if one == other else f"{one} – {other}" for one, other in zip(first, last, strict=True)]
