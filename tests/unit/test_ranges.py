"""Ranges of the values of a column: numbers, dates, and what is neither."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfembed.texts.ranges import MOST_RANGES, find_ranges


def ranges(values):
    return find_ranges(pd.Series(values, dtype="object"))


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([f"{year}" for year in range(2017, 2022)], ["2017", "2018", "2019", "2020", "2021"]),
        ([f"{number}" for number in range(100)], [f"{low} – {low + 9}" for low in range(0, 100, 10)]),
        ([f"{n / 100}" for n in range(100)], [f"{n / 10:g} – {(n + 1) / 10:g}" for n in range(10)]),
        (["0.1", "0.2", "0.25"], ["0.1", "0.2", "0.25"]),
        ([f"2020-{month:02}-17" for month in range(1, 13)], [f"2020-{month:02}" for month in range(1, 13)]),
        ([f"{year}-02" for year in range(2000, 2020)], [f"{year} – {year + 1}" for year in range(2000, 2020, 2)]),
        (["2024-02-28", "2024-03-01 10:00", "2024-02-29T23:59:59Z"], ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ([f"2024-07-{day:02}" for day in range(1, 15)], ["2024-07-01 – 2024-07-07", "2024-07-08 – 2024-07-14"]),
        ([f"{year}-01-01" for year in range(1500, 1900, 7)], [f"{y} – {y + 49}" for y in range(1500, 1900, 50)]),
    ],
)  # fmt: skip
def test_ranges_lie_between_round_numbers_and_dates(values, names):
    found = ranges(values)
    assert found.names == names
    assert found.numbers.min() == 0 and found.numbers.max() == len(names) - 1


@pytest.mark.parametrize(
    "values",
    [["a", "b"], [None, None], ["2020-13-40"] * 5, ["nan", "inf"], ["1", "2", "three"], ["1,5"] * 9, ["True", "False"]],
)
def test_what_is_neither_number_nor_date_has_no_ranges(values):
    assert ranges(values) is None


def test_a_few_words_among_numbers_are_in_no_range():
    found = ranges([*map(str, range(30)), None, "n/a"])
    assert (found.numbers >= 0).tolist() == [True] * 30 + [False] * 2


def test_uneven_numbers_are_divided_into_ranges_of_about_equal_size():
    values = [str(round(10 ** (n / 100))) for n in range(500)]
    found = ranges(values)
    counts = np.bincount(found.numbers)
    assert found.names[-1].endswith(f" – {values[-1]}") and counts.max() < 0.25 * len(values) and len(counts) > 8


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=60))
def test_any_numbers_are_in_ranges_that_are_in_order(values):
    found = ranges(list(map(repr, values)))
    assert (found.numbers >= 0).all() and len(set(found.names)) == len(found.names) <= MOST_RANGES
    assert (np.diff(found.numbers[np.argsort(values, kind="stable")]) >= 0).all()
