"""`selfembed place` on the finished smoke study: docstrings of another package on its map."""

import base64
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from selfembed.jobs.packages import package_folder
from selfembed.texts import python_docs
from workflow_runs import planned, selfembed

CONFIG = "config/smoke.yaml"


@pytest.fixture(scope="module")
def study(finished):
    """The study; what is placed is removed in the end, because others use it, too."""
    yield finished
    shutil.rmtree(finished / "results/smoke/placed", ignore_errors=True)


@pytest.fixture(scope="module")
def new():
    """Docstrings of scipy.optimize, with the columns of the corpus."""
    folder = package_folder("scipy")
    files = sorted((folder / "optimize").glob("*.py"))
    rows = [row for path in files for row in python_docs.texts_of_file(folder.parent, path)]
    found = pd.DataFrame(rows, columns=["title", "package", "text"]).drop_duplicates("text")
    return found[found["text"].str.len() > 1000][:25]


def block(page, name, dtype):
    return np.frombuffer(base64.b64decode(re.search(f'id="{name}">([^<]*)<', page)[1]), dtype=dtype)


def facts(page):
    return json.loads(re.search('id="facts">([^<]*)<', page)[1])


def test_new_texts_of_a_file_that_grows_are_placed_and_the_study_stays(study, new):
    old = pd.read_parquet(study / "results/smoke/corpora/python_docs.parquet")
    before = (study / "figures/smoke/maps/python_docs.html").read_text(encoding="utf-8")
    found = []
    for count in (15, 25):
        pd.concat([old[["text", "title"]], new[:count]]).to_csv(study / "grown.csv", index=False)
        done = selfembed(study, "place", CONFIG, "grown.csv")
        assert done.returncode == 0, done.stderr
        assert f"{len(old) + count} texts, of which {len(old)} are on the map" in done.stdout
        page = (study / "results/smoke/placed/grown.html").read_text(encoding="utf-8")
        (label,) = facts(page)["models"]
        number = facts(before)["models"].index(label)
        shown = block(before, f"positions-{number}", "<u2")
        assert (block(page, "positions-0", "<u2")[: len(shown)] == shown).all()
        assert len(block(page, "positions-0", "<u2")) == len(shown) + 2 * count
        assert [coloring["name"] for coloring in facts(page)["colorings"]] == ["New text", "Label", "Cluster"]
        found.append(pd.read_csv(study / "results/smoke/placed/grown.csv"))
    assert found[1][:15].equals(found[0])
    sizes = [len(pd.read_parquet(path)) for path in study.glob("results/smoke/placed/vectors/*/*.parquet")]
    assert sorted(sizes) == [10, 15]
    assert planned(study, "--configfile", CONFIG) == {}
    lineage = selfembed(study, "lineage", "results/smoke/placed/grown.csv")
    assert lineage.returncode == 0 and "grown.csv (SHA-256" in lineage.stdout
    verified = selfembed(study, "verify", "results/smoke/placed")
    assert verified.returncode == 0, verified.stdout


def test_an_error_is_one_line(study):
    done = selfembed(study, "place", CONFIG, "missing.csv")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == "error: missing.csv: does not exist; expected: a file or a folder with texts\n"
