"""Differences with intervals and verdicts: against SciPy's bootstrap, on data whose truth is known, and in words."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import with_defaults
from hypothesis import given, settings
from hypothesis import strategies as st

from selfembed.errors import InputError
from selfembed.evidence import differences
from selfembed.jobs import records
from selfembed.scores import tables
from selfembed.scores.measures import MEASURES, OF_CROP_PAIRS, Number
from warm_steps import run_step

NUMBERS = {
    f"pairs_{name}": Number(name, measure.heading) for name, measure in MEASURES.items() if name in OF_CROP_PAIRS
}
MEASURE = ["--measure", "pairs_recall@1", "recall@1", "Recall@1 of crops"]


def study(models, measure="recall@1", corpus="crops", score="pairs", ids=None):
    """Score rows and outcomes of models: label → outcomes by seed (None for no seed)."""
    rows, outcomes = [], []
    for label, by_seed in models.items():
        for seed, by_text in by_seed.items():
            rows.append({"corpus": corpus, "score": f"{score}_{measure}", "label": label, "seed": seed})
            rows[-1] |= {"step": "0", "layer": 6, "pooling": "mean", "settings": f"measure={measure} similarity=cosine"}
            names = [f"t{i}" for i in range(len(by_text))] if ids is None else ids
            outcomes.append(pd.Series(by_text, index=names))
    table = pd.DataFrame(rows)
    return table.assign(seed=table["seed"].astype("Int64")), outcomes


def drawn(generator, n, values, seeds=(None,), seed_spread=0.0):
    """Hits of models that are right on many of the same texts, with a chance that differs between seeds."""
    difficulty = generator.random(n)
    found = {}
    for label, value in values.items():
        chances = {seed: value + (seed_spread * generator.normal() if seed else 0) for seed in seeds}
        found[label] = {
            seed: (0.7 * difficulty + 0.3 * generator.random(n) < chance).astype(float)
            for seed, chance in chances.items()
        }
    return found


def compare(models, against="Before", labels=(), **more):
    return with_defaults.compare(*study(models), against, list(labels), numbers=NUMBERS, **more)


def test_one_seed_is_scipys_paired_bootstrap():
    models = drawn(np.random.default_rng(0), 500, {"Before": 0.5, "After": 0.6})
    before, after = (by_seed[None] for by_seed in models.values())
    found = compare(models, resamples=20_000).iloc[0]

    def reference(statistic, *data):
        ends = scipy.stats.bootstrap(
            data, statistic, paired=True, vectorized=False, n_resamples=20_000, method="percentile", rng=1
        ).confidence_interval
        return [ends.low, ends.high]

    expected = reference(lambda one, other: one.mean() - other.mean(), after, before)
    assert found[["difference_low", "difference_high"]].tolist() == pytest.approx(expected, abs=0.0025)
    for name, data in {"": after, "against_": before}.items():
        assert found[[f"{name}low", f"{name}high"]].tolist() == pytest.approx(reference(np.mean, data), abs=0.003)
    assert found["value"] == after.mean()
    assert found["difference"] == after.mean() - before.mean()


# Seeds of both models; how far the chance differs between them.
TRUTHS = {
    "no seeds": ((None,), 0.0),
    "ten seeds that differ": (tuple(range(1, 11)), 0.03),
    "five seeds that differ a little": (tuple(range(1, 6)), 0.01),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", TRUTHS)
def test_intervals_hold_the_true_difference_about_as_often_as_they_say(case):
    seeds, spread = TRUTHS[case]
    generator = np.random.default_rng(3)
    # Chances are those of a large draw, without differences between seeds.
    large = drawn(np.random.default_rng(4), 2_000_000, {"Before": 0.5, "After": 0.55})
    truth = large["After"][None].mean() - large["Before"][None].mean()
    held = []
    for number in range(300):
        models = drawn(generator, 200, {"Before": 0.5, "After": 0.55}, seeds, spread)
        found = compare(models, resamples=300, seed=number).iloc[0]
        held.append(found["difference_low"] <= truth <= found["difference_high"])
    assert 0.91 <= np.mean(held) <= 0.985


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([((None,), (None,)), ((1, 2), (1, 2)), ((1, 2, 3), (None,))]))
def test_swapping_models_swaps_signs_and_verdicts(seed, seeds):
    generator = np.random.default_rng(seed)
    chance = generator.uniform(0.2, 0.8)
    models = drawn(generator, 60, {"A": chance}, seeds[0], 0.1) | drawn(generator, 60, {"B": 0.5}, seeds[1], 0.1)
    one = compare(models, "A", resamples=100).iloc[0]
    two = compare(models, "B", resamples=100).iloc[0]
    assert one["difference"] == pytest.approx(-two["difference"], abs=1e-12)
    assert one["difference_low"] == pytest.approx(-two["difference_high"], abs=1e-12)
    assert one["difference_high"] == pytest.approx(-two["difference_low"], abs=1e-12)
    opposite = {"better": "worse", "worse": "better", "not distinguishable": "not distinguishable"}
    assert abs(one["difference_low"]) < 1e-12 or one["verdict"] == opposite[two["verdict"]]


def test_a_model_and_itself_do_not_differ():
    models = drawn(np.random.default_rng(0), 100, {"Before": 0.5}, (1, 2, 3), 0.1)
    found = compare(models | {"Again": models["Before"]}).iloc[0]
    assert found[["difference", "difference_low", "difference_high"]].tolist() == [0, 0, 0]
    assert found["verdict"] == "not distinguishable"


def test_another_model_or_another_order_of_texts_changes_no_interval():
    models = drawn(np.random.default_rng(0), 100, {"Before": 0.5, "After": 0.7, "Other": 0.6}, (1, 2), 0.1)
    both = compare(models).set_index("label")
    alone = compare({label: models[label] for label in ("Before", "After")}).set_index("label")
    numbers = ["low", "high", "difference_low", "difference_high"]
    assert both.loc["After", numbers].tolist() == pytest.approx(alone.loc["After", numbers].tolist(), abs=1e-12)
    table, outcomes = study({label: models[label] for label in ("Before", "After")})
    outcomes[1:] = [by_text.sample(frac=1, random_state=1) for by_text in outcomes[1:]]
    shuffled = with_defaults.compare(table, outcomes, "Before", [], numbers=NUMBERS).set_index("label")
    assert shuffled.loc["After", numbers].tolist() == pytest.approx(alone.loc["After", numbers].tolist(), abs=1e-12)


def test_seeds_that_differ_widen_intervals():
    """With the same texts and the same mean, three runs that disagree say less than three that agree."""
    hits = np.repeat([1.0, 0.0], [600, 400])
    alike = dict.fromkeys((1, 2, 3), hits)
    apart = {1: np.repeat([1.0, 0.0], [500, 500]), 2: hits, 3: np.repeat([1.0, 0.0], [700, 300])}
    before = {None: np.repeat([1.0, 0.0], [550, 450])}
    found = compare({"Before": before, "Alike": alike, "Apart": apart}).set_index("label")
    widths = found["difference_high"] - found["difference_low"]
    assert widths["Apart"] > 2 * widths["Alike"]
    # The spread of three seeds' mean: 0.1 / √3, of which a normal 95 % interval is 3.92 times.
    assert widths["Apart"] == pytest.approx(3.92 * 0.1 / 3**0.5, rel=0.15)
    assert found["verdict"].to_dict() == {"Alike": "better", "Apart": "not distinguishable"}


def test_labels_are_the_chosen_ones_in_their_order():
    models = drawn(np.random.default_rng(0), 60, {"A": 0.3, "Before": 0.5, "B": 0.6, "C": 0.6})
    assert compare(models)["label"].tolist() == ["A", "B", "C"]
    assert compare(models, labels=["C", "A"])["label"].tolist() == ["C", "A"]


def test_every_corpus_and_score_has_its_rows():
    parts = [
        study(drawn(np.random.default_rng(0), 60, {"Before": 0.5, "After": 0.6}), measure, corpus)
        for measure in ("recall@1", "mrr")
        for corpus in ("one", "two")
    ]
    table = pd.concat([part for part, _ in parts], ignore_index=True)
    outcomes = [by_text for _, found in parts for by_text in found]
    found = with_defaults.compare(table, outcomes, "Before", [], numbers=NUMBERS)
    assert list(zip(found["corpus"], found["score"], strict=True)) == [
        ("one", "pairs_recall@1"),
        ("two", "pairs_recall@1"),
        ("one", "pairs_mrr"),
        ("two", "pairs_mrr"),
    ]


def test_what_cannot_be_compared_is_one_clear_line():
    models = drawn(np.random.default_rng(0), 60, {"Before": 0.5, "After": 0.6})
    with pytest.raises(InputError, match=r"^nothing to compare with 'Nobody'; expected: a score of another label"):
        compare(models, against="Nobody")
    table, outcomes = study(models)
    outcomes[1].index = [f"other{i}" for i in range(60)]
    with pytest.raises(InputError, match="corpus 'crops', score 'pairs_recall@1': models were scored on different tex"):
        with_defaults.compare(table, outcomes, "Before", [], numbers=NUMBERS)
    with pytest.raises(InputError, match=r"step: .* would be averaged"):
        with_defaults.compare(pd.concat([table, table.assign(step="8")]), outcomes * 2, "Before", [], numbers=NUMBERS)


# In words -----------------------------------------------------------------------------------------------------

ROW = {"score": "pairs_x", "label": "After crops", "against": "Before", "n_texts": 1000}


@pytest.mark.parametrize(
    ("measure", "numbers", "seeds", "verdict", "said"),
    [
        (
            "recall@1",
            [0.712, 0.64, 0.072, 0.059, 0.084],
            3,
            "better",
            "After crops finds the other crop of a text first for 71.2% of 1,000 texts, Before for 64.0%: "
            "better by 7.2 points (95% interval 5.9 to 8.4; three seeds).",
        ),
        (
            "recall@10",
            [0.712, 0.74, -0.028, -0.05, -0.01],
            1,
            "worse",
            "After crops finds the other crop of a text among the first ten for 71.2% of 1,000 texts, Before for "
            "74.0%: worse by 2.8 points (95% interval 1.0 to 5.0; one seed).",
        ),
        (
            "mrr",
            [0.712, 0.71, 0.002, -0.01, 0.014],
            0,
            "not distinguishable",
            "After crops finds the other crop of a text with a mean reciprocal rank of 71.2% over 1,000 texts, Before "
            "with 71.0%: not distinguishable, +0.2 points (95% interval −1.0 to +1.4).",
        ),
        (
            "alignment",
            [0.31, 0.44, -0.13, -0.2, -0.1],
            12,
            "better",
            "After crops puts the two crops of a text at a mean squared distance of 0.310 (lower is better, at "
            "equal uniformity; 1,000 texts), Before at 0.440: better by 0.130 (95% interval 0.100 to 0.200; 12 seeds).",
        ),
        (
            "uniformity",
            [-2.9, -3.1, 0.2, 0.1, 0.3],
            2,
            "worse",
            "After crops spreads 1,000 texts with a uniformity of −2.900 (lower is more even, so better), Before with "
            "−3.100: worse by 0.200 (95% interval 0.100 to 0.300; two seeds).",
        ),
        (
            "title_recall@1",
            [0.712, 0.64, 0.072, 0.059, 0.084],
            3,
            "better",
            "After crops finds the text that belongs to a title, or the title of a text, first for 71.2% of 1,000 "
            "texts, Before for 64.0%: better by 7.2 points (95% interval 5.9 to 8.4; three seeds).",
        ),
        (
            "accuracy",
            [0.6, 0.5, 0.1, 0.05, 0.15],
            3,
            "better",
            "After crops gives 60.0% of 1,000 test texts the right label by pairs_x, Before 50.0%: better by 10.0 "
            "points (95% interval 5.0 to 15.0; three seeds).",
        ),
    ],
)
def test_verdicts_and_sentences(measure, numbers, seeds, verdict, said):
    names = ["value", "against_value", "difference", "difference_low", "difference_high"]
    found = ROW | dict(zip(names, numbers, strict=True))
    found |= {"measure": measure, "n_seeds": seeds, "against_seeds": 0}
    lower_is_better = measure in ("alignment", "uniformity")
    found["verdict"] = differences.verdict(*numbers[3:], lower_is_better)
    assert found["verdict"] == verdict
    assert differences.sentence(found) == said


# The script ---------------------------------------------------------------------------------------------------


def write(folder, name, models, **cells):
    """A score file and its outcomes for every seed of a model; the layer below scores nothing right."""
    paths = []
    for seed, by_text in models.items():
        place = {"pooling": "mean", "score": "pairs_recall@1"}
        rows, outcomes = [], []
        for layer, found in ((5, 0 * by_text), (6, by_text)):
            row = dict.fromkeys(tables.SCORE_COLUMNS) | place | {"corpus": "crops", "step": "0", "seed": seed}
            row |= {"layer": layer, "last_layer": 6, "settings": "measure=recall@1 similarity=cosine"}
            rows.append(row | {"value": found.mean()} | cells)
            ids = [f"t{i}" for i in range(len(found))]
            outcomes.append(pd.DataFrame(place | {"layer": layer, "id": ids, "outcome": found}))
        path = folder / f"{name}-{seed}.csv"
        records.write_table(pd.DataFrame(rows), path)
        records.write_table(pd.concat(outcomes)[tables.OUTCOME_COLUMNS], path.with_suffix(".parquet"))
        paths.append(path)
    return paths


def lay_out(folder, *words):
    files = [folder / f"table{ending}" for ending in (".csv", ".tex", ".html")]
    return run_step("lay_out_differences", *words, "--output", *files)


@pytest.mark.slow
def test_the_script_lays_out_last_layers(tmp_path):
    models = drawn(np.random.default_rng(0), 200, {"Before": 0.5}) | drawn(
        np.random.default_rng(0), 200, {"After": 0.8}, (1, 2)
    )
    entries = []
    for label, by_seed in models.items():
        entries += ["--entry", label, label, "", "", *write(tmp_path, label, by_seed)]
    words = [*entries, "--against", "Before", "--resamples", "200", *MEASURE]
    done = lay_out(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "table.csv")
    assert len(table) == 1
    assert table["value"].item() == pytest.approx(np.mean(list(models["After"].values())))
    assert table["verdict"].item() == "better"
    assert table["sentence"].item() in done.stderr
    tex = (tmp_path / "table.tex").read_text()
    assert tex.count(r"\\") == 2
    assert " & model & value & Before & difference & verdict" in tex
    assert "& better" in tex
    before = [(tmp_path / name).read_bytes() for name in ("table.csv", "table.tex")]
    lay_out(tmp_path, *words)
    assert [(tmp_path / name).read_bytes() for name in ("table.csv", "table.tex")] == before
    (tmp_path / "Before-None.parquet").unlink()
    done = lay_out(tmp_path, *words)
    assert done.stderr.splitlines()[-1].startswith(f"error: {tmp_path}/Before-None.parquet: does not exist; expected")
