"""Labels from keywords, against the stored labels of real papers and by hand."""

import numpy as np
import pandas as pd
import pytest

from selfembed.errors import InputError
from selfembed.texts import keywords
from workflow_runs import DATA, ROOT

CLASSES = keywords.read_classes(ROOT / "reference" / "iclr_keywords.csv")
PART = DATA / "iclr_2017_2018_2021.parquet"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], None),
        (["no such keyword"], None),
        (["gan"], "GANs"),
        (["deep learning", "gans"], "GANs"),
        (["reinforcement learning", "offline rl"], "offline RL"),  # the rarer keyword wins
        (["offline rl", "reinforcement learning"], "offline RL"),
        (["attention mechanism", "causal discovery"], "transformers"),  # equally rare: the first wins
        (["causal discovery", "attention mechanism"], "causality"),
    ],
)
def test_rules_by_hand(given, expected):
    assert keywords.label(given, CLASSES) == expected


def test_the_table_is_the_data_sets():
    assert len(CLASSES) == 111
    assert CLASSES["class"].nunique() == CLASSES["class_24v2"].nunique() == 45
    assert CLASSES.at["llm", "class"] == "llms"
    assert CLASSES.at["llm", "class_24v2"] == "LLMs"


@pytest.mark.parametrize(
    "cell", [["GAN", " Attention "], np.array(["gan", "attention"]), "gan, attention", "GAN; attention"]
)
def test_cells_are_lists_or_text(cell):
    assert keywords.split(cell) == ["gan", "attention"]


@pytest.mark.parametrize("cell", [None, float("nan")])
def test_missing_cells_hold_no_keyword(cell):
    assert keywords.split(cell) == []


@pytest.mark.skipif(not PART.is_file(), reason=f"the real ICLR part is not at {PART}")
def test_the_rules_give_the_stored_labels_of_real_papers():
    papers = pd.read_parquet(PART)
    classes = CLASSES.assign(**{"class": CLASSES["class_24v2"]})
    found = papers["keywords"].map(lambda cell: keywords.label(keywords.split(cell), classes) or "unlabeled")
    assert (found == papers["labels"]).all()
    assert (found != "unlabeled").sum() == 2261


def test_keywords_of_a_table_are_met_in_any_case_and_none_is_lost(tmp_path):
    (tmp_path / "classes.csv").write_text("keyword,frequency,class\nRL ,5,None\nnan,2,NA\n")
    classes = keywords.read_classes(tmp_path / "classes.csv")
    assert keywords.label(["rl"], classes) == "None"
    assert keywords.label(["nan", "rl"], classes) == "NA"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,1,x\nA,2,y\n", "keyword 'a' is duplicated; expected: one row each"),
        ("a,many,x\n", "frequency of 'a' is 'many'; expected: a number"),
    ],
)
def test_a_broken_table_is_one_clear_line(tmp_path, rows, message):
    (tmp_path / "classes.csv").write_text("keyword,frequency,class\n" + rows)
    with pytest.raises(InputError, match=message):
        keywords.read_classes(tmp_path / "classes.csv")
