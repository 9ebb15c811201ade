"""What rules ask about exports of the adapted model, what a config may say about them, and what the report shows."""

from types import SimpleNamespace

import pandas as pd
import pytest
from settings_examples import changed
from small_account import row
from test_report import ROWS, report
from test_workflow_scores import REPORTED

from selfembed.errors import InputError
from selfembed.study import validation
from selfembed.study.expansion import expand
from selfembed.study.validation import load, missing_packages
from selfembed.workflow.exports import Exports
from selfembed.workflow.figures import Figures
from selfembed.workflow.maps import Maps
from selfembed.workflow.models import Models
from selfembed.workflow.report import Report
from selfembed.workflow.resources import JobResources

NAMES = ["static", "dimensions_64"]
NONE = SimpleNamespace()


def asked(names, **changes):
    return load(changed(REPORTED | {"report": REPORTED["report"] | {"exports": names}} | changes))


def of(names, **changes):
    settings = asked(names, **changes)
    study = expand(settings)
    page = Report(settings, study, Models(settings, study), Figures(settings, Maps(settings, study)))
    return Exports(settings, study, page)


def test_without_exports_there_are_no_files():
    assert of([]).files() == []


def test_exports_and_their_table_are_made():
    table = "<results>/tables/exports.csv"
    assert of(NAMES).files() == ["<results>/exports/static", "<results>/exports/dimensions_64", table]


def test_the_model_and_all_exports_are_scored_alike():
    found = of(NAMES)
    scores = found.scores(".csv")(NONE)
    names = ("adapted_model", *NAMES)
    places = [(f"<results>/scores/pairs/crops/exports/{n}", f"<results>/scores/knn/news/exports/{n}") for n in names]
    assert scores == [f"{place}/final/own_last.csv" for both in places for place in both]
    words = found.entries(NONE, SimpleNamespace(models=found.models(NONE), scores=scores))
    assert words.startswith(
        "--export adapted_model '<results>/adapted_model' --export static '<results>/exports/static' "
    )
    assert words.count("--entry ") == 3
    assert " --resamples " in words and "--measure pairs_recall@1 recall@1 " in words


def test_exports_are_fitted_on_texts_that_no_candidate_is_scored_on():
    assert of(NAMES).held_out(NONE) == 0.1
    assert of(NAMES).corpus(NONE) == "<results>/corpora/news.parquet"


def test_exports_with_a_library_of_their_own_use_no_gpu():
    found = JobResources(asked(NAMES, device="cuda"))
    names = ("adapted_model", "dimensions_64", "static")
    devices = [found.device(SimpleNamespace(export=name), NONE) for name in names]
    assert devices == ["cuda", "cuda", "cpu"]


@pytest.mark.parametrize("name", ["onnx", "dimensions_0", "dimensions_", "adapted_model"])
def test_an_unknown_export_is_told_in_a_line(name):
    with pytest.raises(InputError, match=rf"report\.exports.*'{name}'"):
        asked([name])


def test_missing_packages_are_named_before_anything_is_computed(monkeypatch):
    monkeypatch.setattr(validation, "find_spec", lambda name: None if name.startswith("onnx") else name)
    missing_packages(asked(NAMES))
    with pytest.raises(InputError) as error:
        missing_packages(asked(["static", "onnx_int8"]))
    assert str(error.value).startswith(
        "report.exports: 'onnx_int8' needs onnx, onnxruntime, onnxscript, not installed; "
    )


def compared(label, gain, vector_bytes, speed):
    facts = {"megabytes": 22.7, "vector_bytes": vector_bytes, "texts_per_second": 100 * speed, "speed": speed}
    of_model = {
        "against_megabytes": 91.0,
        "against_vector_bytes": 1536,
        "against_texts_per_second": 100.0,
        "threads": 2,
    }
    return row(label, "adapted_model", gain) | facts | of_model


def test_the_report_compares_exports(tmp_path):
    rows = [compared("onnx_int8", -0.01, 1536, 2.5), compared("static", -0.3, 1024, 250)]
    pd.DataFrame(rows).to_csv(tmp_path / "exports.csv", index=False)
    text = " ".join(report(tmp_path, ROWS, "--exports", str(tmp_path / "exports.csv")).text.split())
    for cells in (
        ("adapted_model", "91.0 MB", "1,536 bytes", "100", "50.0"),
        ("onnx_int8", "22.7 MB", "1,536 bytes", "250 (× 2.5)", "49.0 (−1.0; −3.0 to +1.0)"),
        ("static", "22.7 MB", "1,024 bytes", "25,000 (× 250)", "20.0 (−30.0; −32.0 to −28.0)"),
    ):
        assert "".join(cells) in text
    assert "exports: [" not in text


def test_a_report_without_exports_tells_how_to_get_them(tmp_path):
    found = report(tmp_path, ROWS)
    assert "exports: [onnx_int8, dimensions_128]" in found.text
    assert not any(attributes.get("id") == "exports" for _, attributes in found.found)
