"""Downloads are repeated while the network or a server fails, and only then."""

import httpx2
import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from selfembed.downloads import hub, patience
from selfembed.errors import InputError


@pytest.fixture
def waits(monkeypatch):
    """The seconds that were waited; nobody waits."""
    found = []
    monkeypatch.setattr(patience.time, "sleep", found.append)
    return found


def failing(times, error):
    """An action that raises an error so many times, and then returns how often it was called."""
    calls = []

    def action():
        calls.append(None)
        if len(calls) <= times:
            raise error
        return len(calls)

    return action


def test_what_passes_is_waited_for_and_longer_each_time(waits):
    assert patience.patiently(failing(7, patience.PassingError("lost")), 10) == 8
    assert waits == [2, 4, 8, 16, 32, 60, 60]


def test_patience_ends(waits):
    with pytest.raises(patience.PassingError, match="lost"):
        patience.patiently(failing(99, patience.PassingError("lost")), 0.5)
    assert waits == [2, 4, 8, 16]
    with pytest.raises(patience.PassingError, match="lost"):
        patience.patiently(failing(1, patience.PassingError("lost")), 0)
    assert sum(waits) == 30


def test_what_is_wrong_is_not_tried_again(waits):
    with pytest.raises(InputError, match="no such file"):
        patience.patiently(failing(1, InputError("no such file")), 10)
    assert waits == []


def answered(status):
    response = httpx2.Response(status, request=httpx2.Request("GET", "http://x"))
    return HfHubHTTPError("said", response=response)


def caused_by(cause):
    error = RuntimeError("a library's own")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (answered(503), True),
        (answered(429), True),
        (answered(404), False),
        (answered(401), False),
        (httpx2.ConnectError("refused"), True),
        (httpx2.ReadTimeout("slow"), True),
        (ConnectionError("Couldn't reach it"), True),
        (LocalEntryNotFoundError("no connection"), True),
        (caused_by(ConnectionResetError()), True),
        (OSError(28, "No space left on device"), False),
        (ValueError("broken data"), False),
        (None, False),
    ],
)
def test_failures_of_the_network_and_of_servers_can_pass(error, passes):
    assert hub.can_pass(error) == passes
