"""What rules ask about scores, tables, claims and the report."""

import json
from types import SimpleNamespace

import pytest
from settings_examples import changed

from selfembed.study.expansion import expand
from selfembed.study.validation import load
from selfembed.workflow.figures import Figures
from selfembed.workflow.maps import Maps
from selfembed.workflow.models import Models
from selfembed.workflow.report import Report
from selfembed.workflow.scores import Scores
from selfembed.workflow.tables import Claims, Tables

MAIN = SimpleNamespace(experiment="main")
BASE = [f"knn/news/base/tiny/seed-{seed}/0/mean_last" for seed in (1, 2)]
TUNED = [f"knn/news/tuned/news/tiny/crops/seed-{seed}/final/mean_last" for seed in (1, 2)]
OWN = {"type": "clustering", "corpus": "news", "block": "clustering"}
AGAINST = {"lay_out": "differences", "experiment": "main", "against": "tiny"}
REPORTED = {
    "corpora.crops": {"source": {"type": "crops", "corpus": "news", "held_out": 0.1}},
    "recipes.crops.held_out": 0.1,
    "scores": {"knn": {"type": "knn", "split": "all"}, "pairs": {"type": "crop_pairs"}},
    "experiments.main.scores": ["knn"],
    "experiments.crops": {
        "corpora": ["crops"],
        "scores": ["pairs"],
        "models": [{"encoder": "tiny"}, {"encoder": "tiny", "recipe": "crops"}],
    },
    "experiments.main.maps": True,
    "figures.page": {"draw": "interactive_map", "experiment": "main"},
    "report": {
        "corpus": "news",
        "keep": "tiny",
        "search": "crops",
        "grouping": "main",
        "figures": ["bars", "page"],
    },
}


def of(kind, changes=None):
    settings = load(changed(changes or {}))
    study = expand(settings)
    if kind is Report:
        return Report(settings, study, Models(settings, study), Figures(settings, Maps(settings, study)))
    return kind(settings, study)


def files(paths, suffix=".csv"):
    return [f"<results>/scores/{path}{suffix}" for path in paths]


def test_a_corpus_with_other_labels_has_the_embeddings_of_its_texts():
    found = of(Scores, {"corpora.coarse": {"source": {"type": "relabelled", "corpus": "news"}}})
    for corpus in ("news", "coarse"):
        wildcards = SimpleNamespace(corpus=corpus, model="base/tiny/seed-1", step="0", selection="mean_last")
        assert found.embeddings(wildcards) == "<results>/embeddings/news/base/tiny/seed-1/0/mean_last"


def test_a_score_s_flags_are_its_name_and_settings():
    found = of(Scores, {"scores": {"knn": {"type": "knn", "k": 3}}, "threads": {"score": 4}})
    words = found.score_flags(SimpleNamespace(score="knn"))
    assert words.startswith("--score knn ") and " --k 3 " in words and words.endswith(" --threads 4")
    assert "--type" not in words


def test_a_task_is_made_of_a_corpus_of_files_or_of_the_registry_s_data(tmp_path):
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        (tmp_path / name).write_text("")
    own = {
        "Own": OWN,
        "ArguAna": {"type": "registry", "block": "retrieval"},
        "Search": {"type": "retrieval", "files": str(tmp_path), "block": "retrieval"},
    }
    raw = {"max_length": 384, "normalise": False}
    experiments = {
        "experiments.all": {"tasks": [*own], "models": [{"encoder": "tiny"}, {"encoder": "tiny", "label": "two"}]},
        "experiments.layers": {"tasks": ["Own"], "layers": "all", "models": [{"encoder": "tiny", "mteb": raw}]},
        "experiments.longer": {"tasks": ["Own"], "models": [{"encoder": "tiny", "mteb": {"max_length": 400}}]},
    }
    found = of(Scores, {"tasks": own, "seeds": [1]} | experiments)
    job = SimpleNamespace(model="base/tiny/seed-1", step="0", max_length="384")
    own_data, registry_data, *files_data = found.benchmark_data(job)
    assert (own_data, registry_data) == ("<results>/corpora/news.parquet", "<results>/tasks/ArguAna")
    assert len(files_data) == 3 and all(path.startswith(str(tmp_path)) for path in files_data)
    words = found.benchmark_flags(job, SimpleNamespace(data=["x", "y", "z", "z", "z"]))
    assert words == (
        f"--task Own clustering clustering x --task ArguAna retrieval registry y --task Search retrieval retrieval"
        f" {tmp_path} --score mean 2 unit Own ArguAna Search --score mean 0,1,2 raw Own --max-length 384"
        " --precision fp32"
    )


def test_a_score_on_a_task_is_in_the_folder_of_its_job():
    raw = {"max_length": 512, "normalise": False}
    changes = {
        "tasks": {"Own": OWN},
        "seeds": [1],
        "experiments.main": {"tasks": ["Own"], "layers": [0, 2], "models": [{"encoder": "tiny", "mteb": raw}]},
        "figures": {},
    }
    found = of(Scores, changes)
    assert found.files(MAIN) == files(["mteb/base/tiny/seed-1/0/512"] * 2)
    words = found.entries(MAIN, SimpleNamespace(scores=["results/scores/mteb/base/tiny/seed-1/0/512.csv"] * 2))
    folder = "results/scores/mteb/base/tiny/seed-1/0/512/Own"
    assert words == f"--entry tiny tiny '' '' {folder}/{{mean_0_raw.csv,mean_2_raw.csv}}"


def test_scores_of_an_experiment_are_collected_label_by_label():
    found = of(Scores)
    assert found.files(MAIN) == files(BASE + TUNED)
    words = found.entries(MAIN, SimpleNamespace(scores=["a/1", "a/2", "b/1", "b/2"]))
    assert words == "--entry tiny tiny '' '' a/{1,2} --entry 'tiny + crops' 'tiny + crops' '' '' b/{1,2}"


def test_a_label_says_what_it_is_made_of():
    sweep = {"encoder": "tiny", "recipe": "crops", "sweep": {"temperature": [0.5]}, "label": "Crops", "group": "ours"}
    found = of(Scores, {"seeds": [1], "experiments.main.models": [sweep]})
    words = found.entries(MAIN, SimpleNamespace(scores=["a"]))
    assert words == "--entry 'Crops, temperature 0.5' Crops 0.5 ours a"


def test_a_run_with_two_labels_is_collected_under_both():
    models = [{"encoder": "tiny", "recipe": "crops", "label": label} for label in ("A", "B b")]
    found = of(Scores, {"experiments.main.models": models})
    runs = [f"<results>/runs/news/tiny/crops/seed-{seed}" for seed in (1, 2)]
    assert found.run_records(MAIN) == runs * 2
    assert found.run_entries(MAIN, SimpleNamespace(records=["r/1", "r/2"] * 2)) == (
        "--entry A r/{1,2} --entry 'B b' r/{1,2}"
    )


def test_an_experiment_for_maps_alone_has_no_summary():
    maps = {"corpora": ["notes"], "scores": [], "maps": True, "models": [{"encoder": "tiny"}]}
    found = of(Scores, {"experiments.maps": maps})
    assert found.experiments() == ["main"]
    assert found.summaries() == ["<results>/tables/main_summary.csv"]


def test_a_table_reads_what_it_lays_out():
    tables = {
        "means": {"lay_out": "scores", "experiment": "main", "title": "Means", "caption": "All"},
        "texts": {"lay_out": "corpora", "corpora": ["news", "docs"], "caption": "Texts"},
    }
    found = of(Tables, {"tables": tables})
    means, texts = SimpleNamespace(table="means"), SimpleNamespace(table="texts")
    assert (found.laid_out_as("scores"), found.laid_out_as("differences")) == ("means", "none-of-this-kind")
    assert found.all_files() == [f"<figures>/{name}.{end}" for name in tables for end in ("csv", "tex", "html")]
    assert found.source(means) == "<results>/tables/main.csv"
    assert found.published(means) == []
    assert found.descriptions(texts) == ["<results>/descriptions/news.csv", "<results>/descriptions/docs.csv"]
    assert found.layout(texts) == "--caption Texts"
    assert found.layout(means) == "--title Means --caption All --rows series --columns corpus --poolings mean"
    assert (found.title(means), found.title(texts)) == ("Means", "texts")


def test_published_numbers_stand_beside_ours_in_a_table(tmp_path):
    (tmp_path / "published.csv").write_text("experiment,value\n")
    changes = {
        "tables": {"means": {"lay_out": "scores", "experiment": "main"}},
        "published": f"{tmp_path}/published.csv",
    }
    assert of(Tables, changes).published(SimpleNamespace(table="means")) == "<results>/published/main.csv"


def test_texts_count_once_in_means_over_corpora():
    changes = {
        "corpora.coarse": {"source": {"type": "relabelled", "corpus": "news"}},
        "experiments.main.corpora": ["news", "coarse"],
        "tables": {"means": {"lay_out": "scores", "experiment": "main", "means": True}},
    }
    means = SimpleNamespace(table="means")
    assert of(Tables, changes).layout(means).endswith(" --means --repeated coarse")
    assert "--repeated" not in of(Tables, changes | {"tables.means.means": False}).layout(means)


def test_differences_are_of_scores_on_corpora():
    tasks = {"tasks": {"Own": OWN}, "experiments.main.tasks": ["Own"], "experiments.main.models.1.train_on": "news"}
    found = of(Tables, {"tables": {"against": AGAINST}} | tasks)
    against = SimpleNamespace(table="against")
    assert found.compared_files(".parquet")(against) == files(BASE + TUNED, ".parquet")
    words = found.compared_entries(against, SimpleNamespace(scores=["a", "b", "c", "d"]))
    assert words == "--entry tiny tiny '' '' {a,b} --entry 'tiny + crops on news' 'tiny + crops on news' '' '' {c,d}"


CLAIM = {
    "claims": {
        "better": {
            "sentence": "Fine-tuning helps.",
            "evidence": [{"compare": "difference", "experiment": "main", "models": ["tiny + crops", "tiny"]}],
        }
    }
}


def test_claims_are_judged_by_their_scores():
    found, wildcards = of(Claims, CLAIM), SimpleNamespace(claims="claims")
    assert found.pages() == [f"<figures>/claims.{ending}" for ending in ("csv", "md", "tex", "html")]
    assert found.scores(wildcards) == files(TUNED + BASE)
    assert found.outcomes(wildcards) == files(TUNED + BASE, ".parquet")
    words = found.entries(wildcards, SimpleNamespace(scores=["a", "b", "c", "d"]))
    assert words == "--entry main 'tiny + crops' {a,b} --entry main tiny {c,d}"
    (described,) = json.loads(found.described())
    assert described["sentence"] == "Fine-tuning helps."


def test_published_claims_need_no_scores_of_ours():
    found, wildcards = of(Claims, CLAIM), SimpleNamespace(claims="published/claims")
    assert found.pages("published/claims")[0] == "<figures>/published/claims.csv"
    assert (found.scores(wildcards), found.outcomes(wildcards)) == ([], [])
    assert found.entries(wildcards, SimpleNamespace(scores=[])) == ""


def test_a_config_without_claims_has_no_page():
    assert of(Claims).pages() == []


def test_a_report_has_all_candidates_with_the_first_seed_of_each():
    found, none = of(Report, REPORTED), SimpleNamespace()
    assert found.files() == ["<results>/report.html", "<results>/adapted_model"]
    account = found.account(none)
    assert account == {
        "base": "<results>/models/base/tiny/seed-1",
        "counts": "<results>/corpora/news.json",
        "description": "<results>/descriptions/news.csv",
        "choice": "<results>/choice.json",
        "table": "<results>/tables/all_models.csv",
        "records": ["<results>/runs/news/tiny/crops/seed-1"],
        "settings_of_pairs": ["<results>/pairs/news/crops_held_out-0.1/epochs-1/seed-1.json"],
    }
    models = found.models(none)
    assert models == ["<results>/models/base/tiny/seed-1", "<results>/models/tuned/news/tiny/crops/seed-1"]
    words = found.account_flags(none, SimpleNamespace(models=models, **account))
    assert words.startswith("--base '<results>/models/base/tiny/seed-1' --counts ")
    assert " --candidate tiny 0 '<results>/models/base/tiny/seed-1' --candidate 'tiny + crops' final " in words
    assert words.endswith(
        "'<results>/models/tuned/news/tiny/crops/seed-1' '<results>/runs/news/tiny/crops/seed-1' "
        "'<results>/pairs/news/crops_held_out-0.1/epochs-1/seed-1.json'"
    )


def test_a_choice_is_made_by_all_scores_of_both_purposes():
    found, none = of(Report, REPORTED), SimpleNamespace()
    scores = found.scores(".csv")(none)
    assert len(scores) == 2 * 2 * 2  # purposes, models, seeds
    words = found.score_entries(none, SimpleNamespace(scores=scores))
    assert words.count("--entry search ") == words.count("--entry grouping ") == 2
    flags = found.choice_flags(none)
    assert flags.startswith("--purpose both --keep tiny --candidates 'tiny + crops' --resamples ")
    assert "--measure knn accuracy " in flags and "--measure pairs_recall@1 recall@1 " in flags


def test_a_report_shows_figures_maps_and_examples():
    found, none = of(Report, REPORTED), SimpleNamespace()
    assert found.figures(none) == ["<figures>/bars.png"]
    assert found.maps(none) == ["<figures>/maps/news.html"]
    assert found.pairs(none) == ["<results>/corpora/crops.json"]
    assert found.queries(none) == ["<results>/corpora/crops.parquet"]
    vectors = found.vectors(none)
    assert len(vectors) == 2
    assert found.vector_entries(none, SimpleNamespace(vectors=["a", "b"])) == (
        "--vectors tiny a --vectors 'tiny + crops' b"
    )
    assert found.title(none) == "Report on news"
    words = found.entries(none, SimpleNamespace(figures=["bars.png"]))
    assert words == "--entry bars 'Scores of several models at the last layer.' '' bars.png"


def test_an_adapted_model_of_the_hub_has_its_base():
    models = [{"encoder": "mpnet", "label": "tiny"}, {"encoder": "mpnet", "recipe": "crops", "label": "tiny + crops"}]
    hub = REPORTED | {"experiments.main.models": models, "experiments.crops.models": models}
    found = of(Report, hub)
    assert found.account(SimpleNamespace())["base"] == "<results>/models/base/mpnet"


def test_a_config_without_a_report_is_told_in_a_line():
    found = of(Report)
    assert found.files() == []
    with pytest.raises(SystemExit, match=r"config error: report: missing; "):
        found.account(SimpleNamespace())
