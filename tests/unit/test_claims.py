"""Claims: estimates by hand, intervals and verdicts on data whose truth is known, pages, and wrong configs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import with_defaults
import yaml
from settings_examples import changed
from with_defaults import compare

from selfembed.errors import InputError
from selfembed.evidence import claims
from selfembed.pages import claims_page
from selfembed.scores import tables
from selfembed.scores.measures import Number
from selfembed.study import claimed
from selfembed.study.expansion import expand
from selfembed.study.validation import load

ROOT = Path(__file__).parents[2]


def point(label, step="final", layers=(2,), last_layer=2, series=None, x=None):
    return {
        "label": label,
        "series": series or label,
        "x": x,
        "step": step,
        "layers": list(layers),
        "last_layer": last_layer,
    }


def comparison(compare, *points, limit=("at_least", 0.0), corpora=("news",), tasks=None, averaged=False):
    return {
        "compare": compare,
        "experiment": "main",
        "score": "mteb" if tasks else "knn",
        "pooling": "mean",
        "averaged": averaged,
        "limit": dict(zip(("kind", "value"), limit, strict=True)),
        "corpora": [] if tasks else list(corpora),
        "tasks": tasks or {},
        "points": list(points),
    }


def claim(*evidence):
    return {"name": "some", "sentence": "Something is so.", "paper": "", "evidence": list(evidence)}


def study(outcomes, corpus="news"):
    """Score rows and outcomes: {(label, step, layer): {seed: outcomes of texts}}."""
    rows, by_text = [], []
    for (label, step, layer), by_seed in outcomes.items():
        for seed, found in by_seed.items():
            rows.append({"experiment": "main", "label": label, "series": label, "x": None, "corpus": corpus})
            rows[-1] |= {"score": "knn", "step": step, "layer": layer, "last_layer": 2, "pooling": "mean"}
            rows[-1] |= {"seed": seed, "value": np.mean(found)}
            by_text.append(pd.Series(found, index=[f"t{i}" for i in range(len(found))]))
    table = pd.DataFrame(rows)
    table["seed"] = table["seed"].astype("Int64")
    return table, lambda shown: [by_text[position] for position in shown.index]


def judge(evidence, scores, outcomes=lambda rows: [], published=None, resamples=2000):
    return with_defaults.judge([claim(*evidence)], scores, outcomes, published, resamples)


def hits(generator, n, chance):
    return (generator.random(n) < chance).astype(float)


def test_estimates_are_those_of_the_formulas():
    values = {("A", "0", 2): 0.2, ("A", "10", 2): 0.5, ("A", "final", 2): 0.6, ("A", "final", 0): 0.1}
    values |= {("A", "final", 1): 0.4}
    n = 10
    scores, outcomes = study({key: {1: [1.0] * round(n * v) + [0.0] * round(n * (1 - v))} for key, v in values.items()})
    found = judge(
        [
            comparison("difference", point("A"), point("A", "0")),
            comparison("share", point("A", "0"), point("A", "10"), point("A"), limit=("at_least", 0.9)),
            comparison("trend", point("A", layers=(0, 1, 2))),
        ],
        scores,
        outcomes,
    )
    slope = np.polyfit([0, 1, 2], [0.1, 0.4, 0.6], 1)[0]
    assert found["estimate"].tolist() == pytest.approx([0.4, 0.75, slope])
    assert found["unit"].tolist() == ["points", "share", "points per layer"]
    assert found["n_texts"].tolist() == [n] * 3
    assert found["n_seeds"].tolist() == [1] * 3


def test_an_interval_is_that_of_the_table_of_differences():
    generator = np.random.default_rng(0)
    models = {"A": 0.6, "B": 0.5}
    data = {(name, "final", 2): {seed: hits(generator, 300, p) for seed in (1, 2, 3)} for name, p in models.items()}
    scores, outcomes = study(data)
    found = judge([comparison("difference", point("A"), point("B"))], scores, outcomes).iloc[0]
    shown = scores.assign(settings="k=10", model=scores["label"])
    numbers = {"knn": Number("accuracy", "kNN accuracy")}
    expected = compare(shown, outcomes(shown), "B", ["A"], numbers=numbers).iloc[0]
    assert found["estimate"] == pytest.approx(expected["difference"])
    assert [found["low"], found["high"]] == pytest.approx(expected[["difference_low", "difference_high"]].tolist())


@pytest.mark.parametrize(
    ("first", "second", "limit", "verdict"),
    [
        (0.8, 0.5, ("at_least", 0.0), claims.HOLDS),
        (0.5, 0.8, ("at_least", 0.0), claims.FAILS),
        (0.5, 0.8, ("at_most", 0.0), claims.HOLDS),
        (0.5, 0.5, ("at_least", 0.0), claims.OPEN),
        (0.5, 0.5, ("at_least", -0.2), claims.HOLDS),
        (0.8, 0.5, ("at_least", 0.5), claims.FAILS),
    ],
)
def test_a_verdict_is_where_the_interval_lies(first, second, limit, verdict):
    generator = np.random.default_rng(1)
    data = {("A", "final", 2): {1: hits(generator, 400, first)}, ("B", "final", 2): {1: hits(generator, 400, second)}}
    scores, outcomes = study(data)
    found = judge([comparison("difference", point("A"), point("B"), limit=limit)], scores, outcomes).iloc[0]
    assert found["result"] == found["verdict"] == verdict
    assert bool(found["needed"]) == (verdict == claims.OPEN)


def test_the_worst_estimate_decides():
    kinds = claims.FAILS, claims.NOT_RUN, claims.OPEN, claims.HOLDS
    for position, kind in enumerate(kinds):
        assert claims.overall_verdict([*kinds[position:], claims.HOLDS]) == kind


def test_verdicts_err_as_rarely_as_they_say():
    """Without a difference: "holds" in about 2.5 %, "does not hold" in at most 5 %, also of four corpora."""
    rows = {"estimate": 0.0, "limit": "at_least", "limit_value": 0.0, "unit": "points", "n_texts": 300}
    generator = np.random.default_rng(2)
    one, four = [], []
    for _ in range(2000):
        centres = generator.normal(size=4)
        draws = centres[:, None] + generator.normal(size=(4, 1000))
        found = [claims.Estimate(centre, drawn, 300, 0) for centre, drawn in zip(centres, draws, strict=True)]
        one.append(claims.verdict(found[0], rows, 1)["result"])
        four.append(claims.overall_verdict([claims.verdict(each, rows, 4)["result"] for each in found]))
    assert 0.015 < np.mean([found == claims.HOLDS for found in one]) < 0.04
    assert 0.015 < np.mean([found == claims.FAILS for found in one]) < 0.04
    assert np.mean([found == claims.FAILS for found in four]) < 0.05


def test_a_share_of_a_gain_that_may_be_none_is_not_told():
    generator = np.random.default_rng(3)
    names = ("0", "10", "final")
    scores, outcomes = study({("A", step, 2): {1: hits(generator, 100, 0.5)} for step in names})
    points = [point("A", step) for step in names]
    found = judge([comparison("share", *points, limit=("at_least", 0.9))], scores, outcomes).iloc[0]
    assert found["result"] == claims.OPEN
    assert "gain" in found["needed"]
    assert np.isnan(found["low"])


def test_a_share_of_no_gain_at_all_is_no_score_that_was_not_run():
    scores, outcomes = study({("A", step, 2): {1: [1.0, 0.0]} for step in ("0", "10", "final")})
    points = [point("A", step) for step in ("0", "10", "final")]
    judged = judge([comparison("share", *points, limit=("at_least", 0.9))], scores, outcomes)
    assert judged["result"].tolist() == [claims.OPEN]
    assert "no interval" in claims_page.markdown(judged)


def tasks_table(values, seeds):
    """Score rows on tasks: {label: {task: values by seed}}."""
    rows = [
        {"experiment": "main", "label": label, "corpus": task, "seed": seed, "value": value}
        for label, by_task in values.items()
        for task, by_seed in by_task.items()
        for seed, value in zip(seeds[label], by_seed, strict=True)
    ]
    shared = {"score": "mteb", "step": "final", "layer": 2, "last_layer": 2, "pooling": "mean"}
    table = pd.DataFrame(rows).assign(**shared)
    return table.assign(seed=table["seed"].astype("Int64"))


BLOCKS = {"T1": "sts", "T2": "sts", "T3": "retrieval", "T4": "sts_v1"}


def test_scores_on_tasks_are_means_of_blocks_with_students_interval_over_seeds():
    runs = {"T1": [0.1, 0.3, 0.2], "T2": [0.3, 0.5, 0.1], "T3": [0.6, 0.7, 0.5], "T4": [0, 0, 0]}
    fixed = {"T1": [0.0], "T2": [0.2], "T3": [0.1], "T4": [0.9]}
    scores = tasks_table({"A": runs, "B": fixed}, {"A": [1, 2, 3], "B": [None]})
    evidence = [comparison("difference", point("A"), point("B"), tasks=BLOCKS)]
    found = judge(evidence, scores, resamples=200_000).iloc[0]
    means = np.mean([np.mean([runs["T1"], runs["T2"]], axis=0), runs["T3"]], axis=0)
    assert found["on"] == "mean of 2 blocks of tasks"
    assert found["estimate"] == pytest.approx(means.mean() - np.mean([0.1, 0.1]))
    margin = scipy.stats.t.ppf(0.975, 2) * means.std(ddof=1) / np.sqrt(3)
    assert found["high"] - found["estimate"] == pytest.approx(margin, rel=0.03)
    assert found["n_seeds"] == 3


def test_one_seed_on_tasks_tells_nothing_and_says_what_is_needed():
    scores = tasks_table({"A": {"T1": [0.9]}, "B": {"T1": [0.1]}}, {"A": [1], "B": [None]})
    found = judge([comparison("difference", point("A"), point("B"), tasks={"T1": "sts"})], scores).iloc[0]
    assert (found["result"], found["needed"]) == (claims.OPEN, "three seeds or more")


def test_models_without_seeds_are_compared_exactly_on_tasks():
    scores = tasks_table({"A": {"T1": [0.9]}, "B": {"T1": [0.1]}}, {"A": [None], "B": [None]})
    for points, result in (("AB", claims.HOLDS), ("BA", claims.FAILS)):
        found = judge([comparison("difference", *map(point, points), tasks={"T1": "sts"})], scores).iloc[0]
        assert found["result"] == result


def test_the_mean_over_corpora_is_one_estimate():
    generator = np.random.default_rng(4)
    tables_of, outcomes_of = [], {}
    for corpus, chance in {"news": 0.9, "docs": 0.5}.items():
        data = {("A", "final", 2): {1: hits(generator, 300, chance)}, ("B", "final", 2): {1: hits(generator, 300, 0.5)}}
        table, outcomes = study(data, corpus)
        outcomes_of |= {(corpus, label): outcomes(table)[i] for i, label in enumerate(table["label"])}
        tables_of.append(table)
    scores = pd.concat(tables_of, ignore_index=True)

    def outcomes(rows):
        return [outcomes_of[key] for key in rows[["corpus", "label"]].itertuples(index=False, name=None)]

    shared = {"corpora": ("news", "docs")}
    each = judge([comparison("difference", point("A"), point("B"), **shared)], scores, outcomes)
    mean = judge([comparison("difference", point("A"), point("B"), **shared, averaged=True)], scores, outcomes)
    assert len(each) == 2
    assert mean["estimate"].tolist() == pytest.approx([each["estimate"].mean()])
    assert mean["low"].iloc[0] > each["low"].min()
    assert mean["n_texts"].tolist() == [600]


def test_a_seed_that_diverged_is_left_out_and_a_model_without_another_is_refused():
    data = {("A", "final", 2): {1: [1.0] * 10, 2: [0.0] * 10}, ("B", "final", 2): {1: [0.0] * 10}}
    scores, outcomes = study(data)
    scores.loc[scores["seed"] == 2, "value"] = np.nan
    evidence = [comparison("difference", point("A"), point("B"))]
    assert judge(evidence, scores, outcomes)["estimate"].tolist() == [1.0]
    scores["value"] = np.nan
    with pytest.raises(InputError, match=r"no score 'knn' of 'A'.*diverged"):
        judge(evidence, scores, outcomes)


def test_a_missing_score_is_told():
    scores, outcomes = study({("A", "final", 2): {1: [1.0, 0.0]}})
    with pytest.raises(InputError, match=r"no score 'knn' of 'B', step final, layer 2, on news"):
        judge([comparison("difference", point("A"), point("B"))], scores, outcomes)


# Published numbers ---------------------------------------------------------------------------------------------

CONFIG = load(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))
PAPER = tables.read(ROOT / "reference" / "paper.csv")
DESCRIBED = claimed.described(CONFIG, expand(CONFIG))


@pytest.fixture(scope="module")
def from_paper():
    return with_defaults.judge(DESCRIBED, None, lambda rows: [], PAPER)


def test_the_papers_own_numbers_support_every_claim_of_the_paper(from_paper):
    assert set(from_paper["verdict"]) == {claims.NOT_RUN}
    assert set(from_paper["published_result"]) == {"as claimed"}


# What the paper says of its own numbers: claim, on, estimate, and how exactly it is printed.
STATED = [
    ("crops_beat_dropout", "iclr", 0.589 - 0.468, 0.001),
    ("crops_beat_dropout", "reddit", 0.719634 - 0.577993, 1e-6),
    ("any_text_helps", "iclr", 0.053, 0.001),
    ("sbert_loses_by_crops", "mean of 6", 0.595 - 0.587, 0.001),
    ("random_bert_beats_pretrained", "mean of 6", 0.523 - 0.465, 0.002),
    ("two_layers_suffice", "iclr", (0.56769 - 0.37462) / (0.58769 - 0.37462), 1e-4),
    ("few_batches_suffice", "mean of 4 blocks of tasks", (0.48551 - 0.33661) / (0.48495 - 0.33661), 1e-3),
    ("last_layers_gain", "stackexchange", 0.0015, 0.0001),
]


@pytest.mark.parametrize(("name", "on", "value", "tolerance"), STATED)
def test_published_estimates_are_what_the_paper_states(from_paper, name, on, value, tolerance):
    found = from_paper[(from_paper["claim"] == name) & (from_paper["published_on"] == on)]["published"]
    assert any(abs(estimate - value) <= tolerance for estimate in found), found.tolist()


def published_parts(part):
    """A comparison on one corpus at a time, with the layers and the tasks that are published for all its models."""
    rows = PAPER[(PAPER["experiment"] == part["experiment"]) & (PAPER["pooling"] == part["pooling"])]
    named = {entry["series"] for entry in part["points"]}
    if part["tasks"]:
        known = {name: named <= set(rows[rows["corpus"] == name]["series"]) for name in part["tasks"]}
        lacking = {block for name, block in part["tasks"].items() if not known[name]}
        return [part | {"tasks": {name: block for name, block in part["tasks"].items() if block not in lacking}}]
    found = []
    for corpus in part["corpora"]:
        here = rows[(rows["corpus"] == corpus) & rows["series"].isin(named)]
        points = [
            entry | {"layers": sorted(set(here["layer"]) & set(entry["layers"]))}
            if part["compare"] == "trend"
            else entry
            for entry in part["points"]
        ]
        found.append(part | {"corpora": [corpus], "points": points})
    return found


@pytest.mark.slow
def test_published_numbers_taken_for_ours_give_the_same_estimates(from_paper):
    """A round trip: what is shown beside our estimate is the same quantity."""
    parts = [part for told in DESCRIBED for part in told["evidence"]]
    lines = {
        (part["experiment"], entry["series"], tables.key_text(entry["x"])): entry["label"]
        for part in parts
        for entry in part["points"]
    }
    keys = zip(PAPER["experiment"], PAPER["series"], PAPER["x"].map(tables.key_text), strict=True)
    ours = PAPER.assign(label=[lines.get(key, "") for key in keys])
    restricted = [part for whole in parts for part in published_parts(whole)]
    assert len(restricted) >= len(from_paper)
    for part in restricted:
        found = with_defaults.judge([claim(part)], ours, by_value, PAPER, 2)
        assert found["estimate"].tolist() == pytest.approx(found["published"].tolist())
        assert found["on"].tolist() == found["published_on"].tolist()


def by_value(rows):
    """Outcomes whose mean is the value: two texts that add as much each."""
    return [pd.Series([value, value], index=["t1", "t2"]) for value in rows["value"]]


# Pages ---------------------------------------------------------------------------------------------------------


def small_judgement():
    generator = np.random.default_rng(5)
    data = {("A", "final", 2): {1: hits(generator, 400, 0.8)}, ("B", "final", 2): {1: hits(generator, 400, 0.5)}}
    scores, outcomes = study(data)
    return with_defaults.judge([claim(comparison("difference", point("A"), point("B")))], scores, outcomes, None)


def test_pages_say_the_verdict_the_estimate_and_what_was_expected():
    judged = small_judgement()
    row = judged.iloc[0]
    estimate = f"+{100 * row['estimate']:.1f} points (+{100 * row['low']:.1f} to +{100 * row['high']:.1f})"
    for text in (claims_page.markdown(judged), claims_page.html(judged)):
        assert "Something is so." in text
        assert estimate in text
        assert "above 0" in text
        assert claims.HOLDS in text
    assert claims_page.for_print(judged)["verdict"].tolist() == [claims.HOLDS] * 2


def test_what_people_wrote_is_shown_as_text():
    judged = small_judgement().assign(sentence="<img src=x> | <b>", comparison="<i>A</i> | B")
    page = claims_page.html(judged)
    assert "<img" not in page
    assert "<i>" not in page
    assert "&lt;img src=x&gt;" in page
    table = claims_page.markdown(judged).splitlines()
    assert [line for line in table if line.startswith("| holds")] == [r"| holds | <img src=x> \| <b> |"]


def test_the_script_writes_all_pages_and_refuses_claims_that_are_no_json(tmp_path, capsys):
    import judge_claims

    out = [str(tmp_path / f"claims.{ending}") for ending in ("csv", "md", "tex", "html")]
    told = json.dumps(DESCRIBED)
    judge_claims.main(["--claims", told, "--published", str(ROOT / "reference" / "paper.csv"), "--output", *out])
    assert len(pd.read_csv(out[0])) == sum(
        1 if part["averaged"] or not part["corpora"] else len(part["corpora"])
        for told in DESCRIBED
        for part in told["evidence"]
    )
    for path in out[1:]:
        assert "SBERT" in Path(path).read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        judge_claims.main(["--claims", "{", "--output", *out])
    assert "--claims: invalid JSON" in capsys.readouterr().err


# Configs -------------------------------------------------------------------------------------------------------

MODELS = [{"encoder": "tiny", "label": "Before"}, {"encoder": "tiny", "recipe": "crops", "label": "After"}]


def with_claim(evidence, **more):
    claims_of = {"some": {"sentence": "Something is so.", "evidence": [evidence]}}
    return changed({"experiments.main.models": MODELS, "figures": {}, "claims": claims_of} | more)


def test_an_order_is_its_differences_and_defaults_are_filled_in():
    settings = load(with_claim({"compare": "difference", "experiment": "main", "models": ["After", "Before", "After"]}))
    (told,) = claimed.described(settings, expand(settings))
    pairs = [[entry["label"] for entry in part["points"]] for part in told["evidence"]]
    assert pairs == [["After", "Before"], ["Before", "After"]]
    assert told["evidence"][0]["limit"] == {"kind": "at_least", "value": 0.0}
    assert [entry["step"] for entry in told["evidence"][0]["points"]] == ["final", "0"]


def test_only_the_scores_that_claims_need_are_asked_for():
    evidence = {"compare": "difference", "experiment": "main", "models": ["After", "Before"]}
    other = [*MODELS, {"encoder": "tfidf", "label": "TF-IDF"}]
    settings = load(with_claim(evidence, **{"experiments.main.models": other}))
    needed = claimed.needed(settings, expand(settings))
    assert {item.line.label for item in needed["main"]} == {"After", "Before"}
    assert len(needed["main"]) == 4  # two seeds each


WRONG = {
    "unknown experiment": ({"experiment": "none"}, {}, "evidence.0.experiment: 'none' is not an experiment"),
    "unknown label": ({"models": ["After", "Else"]}, {}, "evidence.0: 'Else' is not a label; expected: Before, After"),
    "unknown score": ({"score": "linear"}, {}, "evidence.0.score: 'linear' is not a score of the experiment"),
    "unknown corpus": ({"corpora": ["docs"]}, {}, "evidence.0.corpora.0: 'docs' is not a corpus of the experiment"),
    "no such step": ({"models": [{"label": "After", "step": 3}, "Before"]}, {}, "'After' has no score"),
    "no such layer": ({"models": [{"label": "After", "layer": 1}, "Before"]}, {}, "'After' has no score"),
    "no such pooling": ({"pooling": "cls"}, {}, "'After' has no score"),
    "several steps": ({}, {"experiments.main.steps": [0, 5, "final"]}, "'After' has the steps 0, 5, final"),
    "one model": ({"models": ["After"]}, {}, "evidence.0.models"),
    "two limits": ({"at_least": 0, "at_most": 1}, {}, "at_least and at_most are both set"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_claim_is_one_line(case):
    keys, more, message = WRONG[case]
    evidence = {"compare": "difference", "experiment": "main", "models": ["After", "Before"]} | keys
    with pytest.raises(InputError) as caught:
        load(with_claim(evidence, **more))
    assert str(caught.value).count("\n") == 0
    assert str(caught.value).startswith("claims.some.")
    assert message in str(caught.value)


def test_a_share_needs_a_limit_and_a_trend_several_layers():
    share = {"compare": "share", "experiment": "main", "start": "Before", "reached": "After", "end": "After"}
    with pytest.raises(InputError, match="no limit; expected: at_least or at_most"):
        load(with_claim(share))
    with pytest.raises(InputError, match=r"'After' has fewer than 3 scored layers; expected: layers: all"):
        load(with_claim({"compare": "trend", "experiment": "main", "model": "After"}))
