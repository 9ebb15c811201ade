"""Runs that report their losses to a tracker."""

import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_training import same, study, tuned  # noqa: F401 (a fixture)
from test_workflow_exports import asked

from selfembed.errors import InputError
from selfembed.study.validation import missing_packages
from selfembed.training import tracking


@pytest.mark.slow
def test_tensorboard_gets_the_loss_of_every_step_beside_the_log_and_nothing_else_changes(study, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")  # restored afterwards
    plain, tracked = (tmp_path / name for name in ("plain", "tracked"))
    weights = tuned(study, plain)
    flags = ("--report-to", "tensorboard", "--log", str(tmp_path / "logs" / "seed-1.log"))
    assert same(tuned(study, tracked, *flags), weights)
    for name in ("loss.csv", "run.json", "final/README.md"):
        assert (tracked / name).read_bytes() == (plain / name).read_bytes()
    (events,) = (tmp_path / "logs" / "seed-1").glob("events.out.tfevents.*")
    found = EventAccumulator(str(events)).Reload().Scalars("train/loss")
    losses = pd.read_csv(plain / "loss.csv")
    assert [event.step for event in found] == losses["step"].tolist()
    assert [event.value for event in found] == pytest.approx(losses["loss"].tolist(), rel=1e-6)


def test_a_tracker_that_is_not_installed_is_told_before_any_work(study, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(tracking, "find_spec", lambda name: None if name == "mlflow" else name)
    told = "report_to: the Python package mlflow is not installed; expected: none, or an installed tracker"
    missing_packages(asked([], report_to="wandb"))
    with pytest.raises(InputError, match=f"^{told}$"):
        missing_packages(asked([], report_to="mlflow"))
    with pytest.raises(InputError, match=told.replace("_", "-", 1)):
        tuned(study, tmp_path / "run", "--report-to", "mlflow")
    assert not list(tmp_path.iterdir())
