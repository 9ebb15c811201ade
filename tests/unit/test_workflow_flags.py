"""Patterns of wildcards, files as flags, many paths in few words, and what jobs ask for."""

import re
import subprocess
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from settings_examples import changed

from selfembed.settings.encoders import RandomEncoder, SvdEncoder
from selfembed.study.validation import load
from selfembed.workflow.flags import braced, file_flags, named, one_of
from selfembed.workflow.resources import JobResources

PATHS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join), unique=True)


@pytest.mark.parametrize(
    ("names", "fits", "fits_not"),
    [
        pytest.param(["a", "b"], "b", "ab", id="two names"),
        pytest.param(["crops_temperature-0.5"], "crops_temperature-0.5", "crops_temperature-005", id="no pattern"),
        pytest.param([], "none-of-this-kind", "", id="no names"),
    ],
)
def test_a_pattern_fits_names_and_nothing_else(names, fits, fits_not):
    assert re.fullmatch(one_of(names), fits)
    assert not re.fullmatch(one_of(names), fits_not)


def test_names_of_a_kind():
    encoders = load(changed({})).encoders
    assert named(encoders, RandomEncoder) == "tiny|loan"
    assert named(encoders, "hub", SvdEncoder) == "mpnet|svd"


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        pytest.param({"table": "a.csv", "published_table": []}, "--table a.csv", id="an input that a job lacks"),
        pytest.param({"table": "a.csv", "published_table": "b.csv"}, "--table a.csv --published-table b.csv", id="two"),
        pytest.param({"table": ["a.csv", "b.csv"], "published_table": []}, "--table a.csv b.csv", id="several files"),
        pytest.param({"table": "my table.csv", "published_table": []}, "--table 'my table.csv'", id="a space"),
    ],
)
def test_inputs_are_flags_of_their_names(inputs, expected):
    words = file_flags("table", "published_table")
    assert words(SimpleNamespace(), SimpleNamespace(code=["x.py"], **inputs)) == expected


@given(PATHS)
def test_bash_expands_patterns_to_the_paths(paths):
    patterns = braced(paths)
    done = subprocess.run(["bash", "-c", f"printf '%s\n' {' '.join(patterns)}"], capture_output=True, text=True)
    assert sorted(done.stdout.split()) == sorted(paths)


def test_patterns_of_a_grid_are_one_word():
    paths = [f"scores/{score}/{corpus}/seed-{seed}.csv" for score in "kl" for corpus in "abc" for seed in range(9)]
    assert len(braced(paths)) == 1


@pytest.fixture
def jobs(tmp_path):
    """Resources of the example, and inputs: a corpus of 2 MB, a folder of embeddings of 12 MB."""
    (tmp_path / "embeddings").mkdir()
    for path, size in (("corpus", 2_000_000), ("embeddings/a", 4_000_000), ("embeddings/b", 8_000_000)):
        (tmp_path / path).write_bytes(bytes(size))
    inputs = SimpleNamespace(corpus=str(tmp_path / "corpus"), embeddings=str(tmp_path / "embeddings"), none=[])
    return JobResources(load(changed({"devices_per_run": 2}))), inputs


def test_memory_and_minutes_grow_with_inputs_and_attempts(jobs):
    asked, inputs = jobs
    wildcards = SimpleNamespace(model="base/tiny/seed-1", selection="mean-cls_all")
    assert asked.memory(1000)(wildcards, inputs, 1) == 1000
    assert asked.memory(1000, corpus=8)(wildcards, inputs, 1) == 1016
    assert asked.memory(1000, corpus=8)(wildcards, inputs, 3) == 3048
    assert asked.minutes(10, corpus=0.1)(wildcards, inputs, 1) == 11  # rounded up
    assert asked.minutes(10, none=5)(wildcards, inputs, 1) == 10
    assert asked.memory_of_run(1000, corpus=8)(wildcards, inputs, 1) == 2032
    wildcards.part = "3-of-4"
    assert asked.minutes(30, part=10)(wildcards, inputs, 1) == 35


def test_memory_for_one_layer_is_a_part_of_the_embeddings(jobs):
    asked, inputs = jobs
    layers = 2 * 3  # two poolings; embeddings and two layers of the encoder
    wildcards = SimpleNamespace(model="base/tiny/seed-1", selection="mean-cls_all")
    assert asked.memory(100, layer=3)(wildcards, inputs, 1) == 100 + 3 * 12 / layers
    wildcards = SimpleNamespace(model="base/tfidf", selection="none_last")
    assert asked.memory(100, layer=3)(wildcards, inputs, 1) == 100 + 3 * 12


@pytest.mark.parametrize(
    ("device", "wildcards", "gpus"),
    [
        pytest.param("auto", {"model": "base/mpnet"}, 1, id="an encoder"),
        pytest.param("auto", {"model": "tuned/news/tiny/crops/seed-1"}, 1, id="a run's result"),
        pytest.param("auto", {"encoder": "tiny"}, 1, id="named by a wildcard"),
        pytest.param("auto", {"model": "base/svd"}, 0, id="a bag of words"),
        pytest.param("cpu", {"model": "base/mpnet"}, 0, id="the processor"),
    ],
)
def test_jobs_with_an_encoder_ask_for_a_gpu(device, wildcards, gpus):
    asked = JobResources(load(changed({"device": device, "devices_per_run": 2})))
    assert asked.gpus_for_encoder(SimpleNamespace(**wildcards)) == gpus
    assert asked.gpus_of_run(SimpleNamespace(**wildcards)) == 2 * gpus
    inputs = SimpleNamespace(parts=[])
    assert asked.device(SimpleNamespace(**wildcards), inputs) == (device if gpus else "cpu")
    inputs.parts = ["1-of-2", "2-of-2"]
    assert asked.gpus_for_encoder(SimpleNamespace(**wildcards), inputs) == 0
    assert asked.device(SimpleNamespace(**wildcards), inputs) == "cpu"
