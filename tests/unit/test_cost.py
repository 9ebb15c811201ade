"""What the paper costs: the page is up to date, and work is counted as by hand."""

import re
from pathlib import Path

import cost
import pytest
import yaml
from settings_examples import changed
from work import Corpus, Count, Job, Sizes, relative

from selfembed.study.expansion import expand
from selfembed.study.validation import load

ROOT = Path(__file__).parents[2]
SETTINGS = load(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))

# 1,000 texts of 51.3 characters: ten tokens and two special ones. 800 are labelled; 500 give a pair of 20 tokens each.
SIZES = Sizes({"news": Corpus(1000, 800, 4, 51.3, 500)}, {"ArguAna": (100, 102.6)}, {2: (0.5, 20), 3: (0.25, 30)})
TINY = relative(2, 32)
MAIN = {"corpora": ["news"], "models": [{"encoder": "tiny", "recipe": "crops"}]}
SPLIT = {"type": "knn", "split": "all"}
RATES = {
    "fine-tuning": {"fp32": 10.0, "bf16": 20.0},
    "embedding": {"fp32": 30.0, "bf16": 60.0},
    "kNN": {"–": 1000.0},
    "program start": {"–": 0.5},
}


def counted(changes, experiments):
    settings = load(changed({"seeds": [1], "figures": {}, "experiments.main": MAIN, **changes}))
    return Count(settings, expand(settings), SIZES).jobs(experiments)


def test_the_page_is_up_to_date():
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert page == cost.page(SETTINGS), "run `python bench/cost.py`"


def test_every_figure_and_table_has_a_row():
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.M) == [*SETTINGS.figures, *SETTINGS.tables]


def test_every_printed_time_belongs_to_a_target_and_is_its_hours():
    for row in cost.rows("original_hours.csv"):
        assert row["target"] in {*SETTINGS.figures, *SETTINGS.tables, cost.NO_FIGURE}
        hours = {unit: int(number) for number, unit in re.findall(r"(\d+) (h|min|s)\b", row["printed"])}
        found = hours.get("h", 0) + hours.get("min", 0) / 60 + hours.get("s", 0) / 3600
        assert float(row["hours"]) == pytest.approx(found, abs=0.0006)


def test_jobs_are_those_that_the_workflow_plans():
    count = Count(SETTINGS, expand(SETTINGS), cost.read_sizes())
    page = (ROOT / "docs" / "reproducing.md").read_text(encoding="utf-8")
    planned = {
        rule: int(number.replace(",", "")) for rule, number in re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", page, re.M)
    }
    kinds = [job.kind for job in count.jobs(SETTINGS.experiments)]
    rules = {
        "fine_tune": ["fine-tuning"],
        "embed": ["embedding", "TF-IDF and SVD"],
        "score_knn": ["kNN"],
        "score_linear": ["linear probe"],
        "score_mteb": ["MTEB"],
        "compute_tsne": ["t-SNE"],
    }
    assert {rule: sum(map(kinds.count, names)) for rule, names in rules.items()} == {
        rule: planned[rule] for rule in rules
    }


def test_a_small_case_counted_by_hand():
    model = "tuned/news/tiny/crops/seed-1"
    found = counted({"experiments.main.layers": "all"}, ["main"])
    assert found == {
        Job("fine-tuning", model): {"fine-tuning": pytest.approx(500 * 2 * 20 * TINY), "program start": 1},
        Job("embedding", f"news/{model}/final/mean_all"): {
            "embedding": pytest.approx(1000 * 12 * TINY),
            "program start": 1,
        },
        Job("kNN", f"knn/news/{model}/final/mean_all"): {"kNN": pytest.approx(3 * 80 * 720 * 32)},
    }
    hours = cost.hours(found, "2 cores", RATES)
    assert hours == {
        "fine-tuning": pytest.approx(20_000 * TINY / 10 / 3600),
        "embedding": pytest.approx(12_000 * TINY / 30 / 3600),
        "kNN": pytest.approx(3 * 80 * 720 * 32 / 1000 / 3600),
        "program start": pytest.approx(2 / 0.5 / 3600),
    }
    assert cost.hours(found, "2 cores", RATES, "bf16")["fine-tuning"] == pytest.approx(hours["fine-tuning"] / 2)
    assert cost.hours(found, "8 cores", RATES).total() == pytest.approx(hours.total() / cost.EIGHT_CORES)


def test_a_run_that_two_experiments_share_counts_once_in_all():
    changes = {"experiments.other": {**MAIN, "poolings": ["cls"]}}
    one, other = (counted(changes, [name]) for name in ("main", "other"))
    both = counted(changes, ["main", "other"])
    assert [len(found) for found in (one, other, both)] == [3, 3, 5]
    assert sum(amounts.get("fine-tuning", 0) for amounts in both.values()) == pytest.approx(500 * 2 * 20 * TINY)


def test_recipes_decide_the_tokens_of_a_run():
    def tokens(recipe):
        changes = {"recipes.crops": {"augmentation": {"type": "crops"}, **recipe}, "scores": {"knn": SPLIT}}
        found = counted(changes, ["main"])
        return next(amounts["fine-tuning"] for job, amounts in found.items() if job.kind == "fine-tuning") / TINY

    assert tokens({"epochs": 3}) == pytest.approx(3 * 500 * 2 * 20)
    assert tokens({"held_out": 0.1}) == pytest.approx(450 * 2 * 20)
    assert tokens({"unfrozen_layers": 1}) == pytest.approx(500 * 2 * 20 * 2 / 3)
    assert tokens({"augmentation": {"type": "crops", "sentences": 3}}) == pytest.approx(250 * 2 * 30)


def test_a_score_on_a_task_costs_the_layers_below_it_and_is_in_fp32():
    changes = {
        "tasks": {"ArguAna": {"type": "registry", "block": "retrieval"}},
        "experiments.main": {"tasks": ["ArguAna"], "layers": [0, 1], "models": [{"encoder": "mpnet"}]},
    }
    found = counted(changes, ["main"])
    read = 100 * 22
    assert list(found.values()) == [
        {"embedding, embedding layer alone": pytest.approx(read), "program start": 1},
        {"embedding": pytest.approx(read / 12), "program start": 1},
    ]
    rates = RATES | {"embedding, embedding layer alone": {"fp32": 1000.0}}
    assert cost.hours(found, "2 cores", rates, "bf16") == cost.hours(found, "2 cores", rates)
