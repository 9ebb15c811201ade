"""Errors as one line."""

import httpx2
import pytest

from selfembed.errors import first_line


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
