"""Errors as one line."""

import httpx2
import pytest

from selfembed.errors import InputError, first_line, reword_errors


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError("one"), "one"),
        (ValueError("\none\ntwo"), "one"),
        (OSError(), "OSError"),
        (httpx2.ReadTimeout(""), "ReadTimeout"),
    ],
)
def test_every_error_has_a_first_line(error, expected):
    assert first_line(error) == expected


def test_an_error_is_reworded_as_a_line_about_the_input():
    with (
        pytest.raises(InputError, match=r"^notes\.csv: cannot be read: one; expected: UTF-8$") as raised,
        reword_errors("notes.csv: cannot be read", expected="UTF-8"),
    ):
        raise OSError("one\ntwo")
    assert isinstance(raised.value.__cause__, OSError)
    with pytest.raises(InputError, match=r"^notes\.csv: one$"), reword_errors("notes.csv", (ValueError, OSError)):
        raise InputError("one")
    with pytest.raises(KeyError), reword_errors("notes.csv", ValueError):
        raise KeyError("one")
