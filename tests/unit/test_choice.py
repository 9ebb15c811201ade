"""The choice of a model: a candidate that is no better is rarely shipped, one that is better often."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

import choose_model
from selfembed.errors import InputError
from selfembed.evidence import choice
from selfembed.evidence.choice import choose
from selfembed.jobs.records import write_json
from selfembed.scores import tables

CANDIDATES = [f"candidate {number}" for number in range(8)]
KEEP = "Before"


def outcomes(generator, n_texts, rates, alike=0.85):
    """Zeros and ones of every text and label; a text is equally hard for all labels with a probability of `alike`."""
    shared = generator.random(n_texts)[:, None]
    own = generator.random((n_texts, len(rates)))
    drawn = np.where(generator.random((n_texts, 1)) < alike, shared, own)
    return pd.DataFrame((drawn < np.array(list(rates.values()))).astype(float), columns=list(rates))


def shipped(rates, purpose, n_texts, repetitions):
    """How often each label is chosen in simulated studies."""
    found = []
    for number in range(repetitions):
        generator = np.random.default_rng([7, number])
        drawn = {name: outcomes(generator, n_texts, of_purpose) for name, of_purpose in rates.items()}
        found.append(choose(drawn, KEEP, CANDIDATES, purpose, seed=number).label)
    return pd.Series(found).value_counts(normalize=True)


@pytest.mark.parametrize("purpose", ["search", "both"])
@pytest.mark.parametrize(("n_texts", "rate"), [(100, 0.95), (300, 0.6)])
def test_of_candidates_that_are_no_better_one_is_shipped_in_at_most_5_percent(purpose, n_texts, rate):
    rates = dict.fromkeys(["search", "grouping"], dict.fromkeys([KEEP, *CANDIDATES], rate))
    kept = shipped(rates, purpose, n_texts, 400).get(KEEP, 0)
    assert kept >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 400)


def test_a_candidate_that_is_better_for_one_purpose_and_equal_for_the_other_is_shipped():
    rates = {name: dict.fromkeys([KEEP, *CANDIDATES], 0.6) for name in ("search", "grouping")}
    rates["search"][CANDIDATES[3]] = 0.8
    assert shipped(rates, "both", 600, 60)[CANDIDATES[3]] > 0.6


def test_a_candidate_that_harms_the_other_purpose_is_shipped_for_search_alone():
    rates = {name: dict.fromkeys([KEEP, *CANDIDATES], 0.6) for name in ("search", "grouping")}
    rates["search"] |= dict.fromkeys(CANDIDATES, 0.8)
    rates["grouping"] |= dict.fromkeys(CANDIDATES, 0.5)
    assert shipped(rates, "both", 400, 60).get(KEEP, 0) > 0.9
    assert shipped(rates, "search", 400, 60).get(KEEP, 0) < 0.1


def test_the_judged_texts_are_not_those_that_were_chosen_on():
    found = outcomes(np.random.default_rng(1), 300, dict.fromkeys([KEEP, *CANDIDATES], 0.6))
    chosen_on, others = choice.divide(found, KEEP, CANDIDATES, seed=3)
    assert len(chosen_on) == 100 and len(others) == 200
    assert set(chosen_on.index) | set(others.index) == set(found.index)
    found[CANDIDATES[0]] = found[KEEP]
    found.loc[chosen_on.index, CANDIDATES[0]] = 1.0  # better only where it is chosen
    decided = choose({"search": found}, KEEP, CANDIDATES, "search", seed=3)
    assert decided.best == CANDIDATES[0] and decided.is_kept
    assert decided.judged["search"].gain == 0


def test_the_p_value_is_that_of_all_signs():
    gains = np.array([1.0, 0.5, 1.0, -0.5, 0.0, 1.0])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 5)).reshape(5, -1)
    exact = np.mean(np.abs(gains[gains != 0]) @ signs >= gains.sum() - 1e-9)
    assert choice.p_value(gains, seed=0) == pytest.approx(exact, abs=0.01)
    assert choice.p_value(np.zeros(5), seed=0) == 1


def test_without_evidence_for_the_purpose_the_encoder_is_kept():
    found = outcomes(np.random.default_rng(1), 300, dict.fromkeys([KEEP, *CANDIDATES], 0.6))
    decided = choose({"search": found}, KEEP, CANDIDATES, "grouping", seed=0)
    assert decided.is_kept and decided.best is None and decided.judged == {}


def test_a_missing_score_is_an_error():
    found = outcomes(np.random.default_rng(1), 300, dict.fromkeys([KEEP, *CANDIDATES], 0.6))
    found.loc[5, CANDIDATES[2]] = np.nan
    with pytest.raises(InputError, match="'candidate 2' has no score of some texts"):
        choose({"search": found}, KEEP, CANDIDATES, "search", seed=0)


def test_a_choice_is_the_same_in_a_file(tmp_path):
    rates = dict.fromkeys([KEEP, *CANDIDATES], 0.6) | {CANDIDATES[1]: 0.9}
    decided = choose({"search": outcomes(np.random.default_rng(1), 300, rates)}, KEEP, CANDIDATES, "search", seed=0)
    assert decided.label == CANDIDATES[1]
    write_json(asdict(decided), tmp_path / "choice.json")
    assert choice.read(tmp_path / "choice.json") == decided


def write_scores(folder, score, label, by_text):
    """A score file with its outcomes, as steps write them; the first layer is not the last."""
    identity = dict.fromkeys(tables.SCORE_COLUMNS, "") | {"corpus": "texts", "score": score, "pooling": "mean"}
    identity |= {"seed": 1, "step": "final", "last_layer": 2, "value": by_text.mean()}
    path = folder / f"{score} {label}.csv"
    pd.DataFrame([identity | {"layer": layer} for layer in (1, 2)]).to_csv(path, index=False)
    place = {"pooling": "mean", "score": score, "id": by_text.index.astype(str)}
    layers = [
        pd.DataFrame(place | {"layer": 1, "outcome": 0.0}),
        pd.DataFrame(place | {"layer": 2, "outcome": by_text}),
    ]
    pd.concat(layers, ignore_index=True).to_parquet(path.with_suffix(".parquet"))
    return str(path)


def test_the_script_writes_the_choice_and_the_scores_of_all_models(tmp_path):
    rates = {KEEP: 0.6, "After": 0.9, "TF-IDF": 0.95}
    words = []
    for purpose, scores in {"search": ["pairs_title_recall@1"], "grouping": ["knn", "linear"]}.items():
        drawn = outcomes(np.random.default_rng(1), 300, rates if purpose == "search" else dict.fromkeys(rates, 0.6))
        for label in rates:
            files = [write_scores(tmp_path, score, label, drawn[label]) for score in scores]
            words += ["--entry", purpose, label, label, "", "", *files]
    words += ["--measure", "pairs_title_recall@1", "title_recall@1", "Recall"]
    words += [word for score in ("knn", "linear") for word in ("--measure", score, "accuracy", "Accuracy")]
    words += ["--purpose", "both", "--keep", KEEP, "--candidates", "After", "--resamples", "100", "--seed", "1"]
    output, table = tmp_path / "choice.json", tmp_path / "all_models.csv"
    choose_model.main([*words, "--output", str(output), "--table", str(table)])
    found = choice.read(output)
    assert found.label == "After" and found.judged["search"].verdict == "better"
    assert found.judged["grouping"].n_texts == 200 and found.judged["grouping"].verdict == "not distinguishable"
    rows = pd.read_csv(table)
    assert rows.groupby("purpose").size().to_dict() == {"grouping": 4, "search": 2}
    assert set(rows.loc[rows["is_candidate"], "label"]) == {"After"}
