"""Dry runs of every config, and what they must say."""

import csv
import re
import shutil
import subprocess

import pytest
import yaml

from selfembed.study.expansion import expand
from selfembed.study.validation import load
from workflow_runs import CONFIGS, cold_snakemake, environment, planned, snakemake


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_plans_and_trains_no_run_twice(with_sources, plan_of, name):
    jobs = plan_of(name)
    study = expand(load(yaml.safe_load((with_sources / name).read_text())))
    evaluations = [evaluation for group in study.experiments.values() for evaluation in group]
    assert jobs["fine_tune"] == len({evaluation.model for evaluation in evaluations if evaluation.model.recipe})
    scored = {evaluation.job for evaluation in evaluations if evaluation.score}
    of_exports = jobs.get("embed_export", 0)  # every corpus that the report is scored on has one score
    assert sum(count for rule, count in jobs.items() if rule.startswith("score_")) == len(scored) + of_exports
    config = yaml.safe_load((with_sources / name).read_text())
    assert jobs["collect_scores"] == sum(item.get("scores") != [] for item in config["experiments"].values())
    drawn = sum(count for rule, count in jobs.items() if rule.startswith("draw_"))
    pages = [  # an interactive map is a page for every corpus
        len(config["experiments"][figure["experiment"]]["corpora"]) if figure["draw"] == "interactive_map" else 1
        for figure in config["figures"].values()
    ]
    assert drawn == sum(pages) + ("published" in config)  # and the comparison with what was published


def test_no_group_of_jobs_on_a_cluster_depends_on_itself(checkout):
    words = ("--dry-run", "--workflow-profile", "profiles/slurm", "--configfile", "config/smoke.yaml")
    done = snakemake(checkout, *words)
    assert done.returncode == 0, done.stdout
    assert "Group job scores" in done.stdout
    together = snakemake(checkout, *words, "--groups", "score_knn=scores", "score_title_pairs=scores")
    assert "Group scores depends on itself" in together.stdout  # exports follow the scores of candidates


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_downloaded_ahead_is_what_everything_needs(with_sources, plan_of, name):
    """On a cluster a login node downloads; no job that waits in a queue may want to."""
    ahead = planned(with_sources, "download", "--configfile", name)
    assert ahead.pop("download") == 1
    assert ahead == {rule: count for rule, count in plan_of(name).items() if rule.startswith("download_")}


LEFT_OUT = r"Date: .*|Workflow ID: .*|Run directory: .*|^\[.*\]$"


@pytest.mark.parametrize("words", [(), ("--config", "sedes=[1]")], ids=["right", "wrong"])
def test_a_dry_run_that_is_forked_says_what_one_in_a_new_interpreter_says(with_sources, words):
    """Tests take the first for the second. Times, an identifier, where it began and the order of sets are left out."""
    words = ("--dry-run", "--printshellcmds", "--configfile", "config/smoke.yaml", *words)
    found = []
    for run in (snakemake, cold_snakemake):
        done = run(with_sources, *words)
        lines = re.sub(LEFT_OUT, "", done.stdout, flags=re.MULTILINE).splitlines()
        found.append((done.returncode, sorted(str(sorted(re.split(r"[ ,;]+", line))) for line in lines)))
    assert found[0] == found[1]


@pytest.mark.parametrize(("target", "meant"), [("figure_4", "; did you mean 'figure4'? ("), ("results/x.csv", " (")])
def test_an_unknown_target_is_named_with_the_most_similar_one(with_sources, target, meant):
    done = snakemake(with_sources, target, "--dry-run", "--configfile", "config/smoke.yaml")
    assert done.returncode == 1
    assert f"No rule to produce {target}{meant}" in done.stdout


def test_config_yaml_is_the_default_and_another_config_replaces_it(with_sources, plan_of):
    assert "download_encoder" in planned(with_sources, "base_models")
    assert "download_encoder" not in plan_of("config/smoke.yaml")


def test_a_key_on_the_command_line_changes_that_key_alone(with_sources):
    assert planned(with_sources, "table_whitening")["fine_tune"] == 3
    assert planned(with_sources, "table_whitening", "--config", "seeds=[1]")["fine_tune"] == 1


def test_an_adapter_is_fetched_with_its_encoder(checkout):
    """At a revision of its own."""
    done = snakemake(checkout, "results/encoders/specter2", "-n", "-p")
    command = next(line for line in done.stdout.splitlines() if "python scripts/download_encoder.py" in line)
    assert "--id allenai/specter2_base --revision 3447645e" in command
    assert "--adapter-id allenai/specter2 --adapter-revision 20815596" in command


def test_an_adapter_in_a_folder_is_an_input_of_its_encoder(checkout, tmp_path):
    for name, files in {
        "encoder": ["config.json", "model.safetensors"],
        "adapter": ["adapter_config.json", "pytorch_adapter.bin"],
    }.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).touch()
    encoder = {"type": "folder", "path": str(tmp_path / "encoder"), "adapter": str(tmp_path / "adapter"), "layers": 2}
    folder = shutil.copytree(checkout, tmp_path / "checkout")
    config = yaml.safe_load((folder / "config/smoke.yaml").read_text())
    config["encoders"]["own"] = encoder
    (folder / "own.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(folder, "results/smoke/encoders/own", "-n", "-p", "--configfile", "own.yaml")
    assert f" --adapter {tmp_path}/adapter " in done.stdout
    (inputs,) = [line for line in done.stdout.splitlines() if line.strip().startswith("input:")]
    assert "adapter/adapter_config.json" in inputs
    assert "adapter/pytorch_adapter.bin" in inputs


def test_corpora_are_described_by_the_split_of_the_first_knn_score(checkout):
    words = ["results/smoke/descriptions/sample.csv", "--configfile", "config/smoke.yaml", "--dry-run", "-p"]
    done = snakemake(checkout, *words, "--config", "scores={knn: {split: all, test_fraction: 0.2}}")
    command = next(line for line in done.stdout.splitlines() if "scripts/describe_corpus.py --" in line)
    assert " --split all --test-fraction 0.2 --split-seed 42 " in command


def test_the_demo_profile_runs_the_demo_config(with_sources, plan_of):
    by_profile = planned(with_sources, "--workflow-profile", "profiles/demo")
    assert by_profile == plan_of("config/demo.yaml")
    assert by_profile["fine_tune"] == 6


def test_configs_share_no_output(with_sources):
    folders = [yaml.safe_load((with_sources / name).read_text()).get("folder", "") for name in CONFIGS]
    assert len(set(folders)) == len(folders)


def test_a_figure_by_name_plans_only_what_it_needs(checkout):
    jobs = planned(checkout, "losses", "--configfile", "config/smoke.yaml")
    jobs.pop("losses")
    assert set(jobs) == {
        "extract_python_docs",
        "prepare_corpus",
        "make_pairs",
        "train_tokenizer",
        "build_random_model",
        "fine_tune",
        "collect_losses",
        "draw_losses",
    }
    assert jobs["fine_tune"] == 2
    assert jobs["draw_losses"] == 1


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("sedes=[1]", "config error: sedes: unknown key; expected: "),
        ("seeds=many", "config error: seeds: 'many' is invalid: "),
    ],
)
def test_a_wrong_config_stops_with_one_line(checkout, setting, line):
    done = snakemake(checkout, "-n", "--configfile", "config/smoke.yaml", "--config", setting)
    assert done.returncode != 0
    said = [text for text in done.stdout.splitlines() if not text.startswith("Using workflow specific profile")]
    assert len(said) == 1
    assert said[0].startswith(line)


def test_a_map_is_of_the_first_seed_and_every_label_has_one(with_sources, tmp_path):
    """Maps of two seeds have nothing in common but their class colours; a model may have two labels."""
    config = yaml.safe_load((with_sources / "config/smoke.yaml").read_text())
    config["experiments"]["maps"] |= {"seeds": [43, 42], "corpora": ["sample"]}
    config["experiments"]["maps"]["models"].append({"encoder": "tiny_bert", "label": "Again"})
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    table = "results/smoke/tables/maps_maps.parquet"
    done = snakemake(with_sources, table, "-n", "-p", "--configfile", str(tmp_path / "config.yaml"))
    command = re.search(r"python .*scripts/collect_maps.py .*", done.stdout).group()
    assert " --series Untrained Crops Again --corpora sample sample sample --output " in command
    untrained = "results/smoke/maps/sample/base/tiny_bert/seed-43/0/mean_last.parquet"
    crops = "results/smoke/maps/sample/tuned/sample/tiny_bert/crops/seed-43/final/mean_last.parquet"
    assert f" --maps {untrained} {crops} {untrained} --series" in command


def test_maps_of_a_corpus_without_labels_are_coloured_by_clusters_of_its_last_model(with_sources, tmp_path):
    (tmp_path / "notes.csv").write_text("text\nA note.\n")
    config = yaml.safe_load((with_sources / "config/smoke.yaml").read_text())
    config["corpora"]["notes"] = {"source": {"type": "file", "path": str(tmp_path / "notes.csv")}}
    config["experiments"] = {"maps": config["experiments"]["maps"] | {"scores": [], "corpora": ["notes", "packages"]}}
    config |= {"tables": {}, "claims": {}, "report": None, "published": None}
    config["figures"] = {
        "print": {"draw": "maps", "experiment": "maps", "score": None},
        "page": {"draw": "interactive_map", "experiment": "maps", "clusters": 3},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    words = ("--configfile", str(tmp_path / "config.yaml"))
    static, page = planned(with_sources, "print", *words), planned(with_sources, "page", *words)
    assert (static["name_clusters"], static["draw_maps"]) == (1, 1)
    assert (page["name_clusters"], page["draw_interactive_map"]) == (2, 2)
    assert not {rule for rule in {*static, *page} if rule.startswith("score_")}
    done = snakemake(with_sources, "page", "-n", "-p", *words)
    commands = re.findall(r"python .*scripts/name_clusters.py .*", done.stdout)
    assert len(commands) == 2
    assert all("/tuned/" in command and " --clusters 3 " in command for command in commands)


def test_an_experiment_without_scores_has_maps_and_no_table(with_sources, tmp_path):
    config = yaml.safe_load((with_sources / "config/smoke.yaml").read_text())
    config["experiments"] = {"maps": config["experiments"]["maps"] | {"scores": []}}
    config |= {"figures": {}, "tables": {}, "claims": {}, "report": None, "published": None}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    words = ("--configfile", str(tmp_path / "config.yaml"))
    jobs = planned(with_sources, "results/smoke/tables/maps_maps.parquet", *words)
    assert jobs["compute_tsne"] == 4
    assert not {rule for rule in jobs if rule.startswith("score_")}
    assert planned(with_sources, *words) == {}


def test_a_table_of_differences_plans_only_what_it_needs(checkout):
    jobs = planned(checkout, "table_differences", "--configfile", "config/smoke.yaml")
    jobs.pop("table_differences")
    assert set(jobs) == {
        "extract_python_docs",
        "prepare_corpus",
        "crop_corpus",
        "make_pairs",
        "train_tokenizer",
        "build_bag_of_words",
        "build_random_model",
        "fine_tune",
        "embed",
        "embed_part",
        "score_crop_pairs",
        "lay_out_differences",
    }
    assert jobs["fine_tune"] == jobs["crop_corpus"] == 1
    assert jobs["embed"] == jobs["score_crop_pairs"] == 3
    assert jobs["embed_part"] == 2 * 2  # of two encoders; TF-IDF has no parts


def test_claims_plan_only_the_scores_that_they_are_judged_by(checkout):
    jobs = planned(checkout, "claims", "--configfile", "config/demo.yaml")
    assert jobs["judge_claims"] == jobs["claims"] == 1
    assert jobs["score_knn"] == 11  # three models of three seeds, TF-IDF and a pretrained encoder
    assert not {"score_mteb", "compute_tsne", "collect_scores"} & set(jobs)


def test_a_report_plans_only_what_it_needs(checkout):
    """And not what it would cost to draw every figure of the config."""
    jobs = planned(checkout, "write_report", "--configfile", "config/smoke.yaml")
    assert {rule for rule in jobs if rule.startswith("draw_")} == {
        "draw_comparison",
        "draw_losses",
        "draw_interactive_map",
    }
    assert jobs["choose_model"] == jobs["package_model"] == jobs["write_report"] == jobs["describe_corpus"] == 1
    assert "lay_out_differences" not in jobs
    model = planned(checkout, "package_model", "--configfile", "config/smoke.yaml")
    assert model["fine_tune"] == 1
    assert not {rule for rule in model if rule.startswith("draw_") or rule == "write_report"}


@pytest.mark.parametrize("revision", ["0" * 40, None])
def test_the_adapted_model_is_the_first_seed_s_of_a_corpus_and_says_what_it_started_from(
    with_sources, tmp_path, revision
):
    """Of a sample, the card says where all rows went."""
    config = yaml.safe_load((with_sources / "config/smoke.yaml").read_text())
    config["encoders"]["hub"] = {"type": "hub", "id": "somebody/model", "revision": revision, "layers": 2}
    models = [{"encoder": "hub", "label": "Hub"}, {"encoder": "hub", "recipe": "crops", "label": "Crops"}]
    experiment = {"corpora": ["sample"], "seeds": [43, 42], "models": models, "scores": ["knn"]}
    config["experiments"] = {"labels": experiment}
    config["report"] = {"corpus": "sample", "keep": "Hub", "grouping": "labels"}
    config |= {"figures": {}, "tables": {}, "claims": {}, "published": None}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(with_sources, "write_report", "-n", "-p", "--configfile", str(tmp_path / "config.yaml"))
    assert done.returncode == 0, done.stdout
    command = re.search(r"python .*scripts/package_model.py .*", done.stdout).group()
    for words in (
        "--corpus sample",
        "--base results/smoke/models/base/hub",
        "--counts results/smoke/corpora/python_docs.json --description results/smoke/descriptions/sample.csv",
        "--candidate Hub 0 results/smoke/models/base/hub --candidate Crops final "
        "results/smoke/models/tuned/sample/hub/crops/seed-43 results/smoke/runs/sample/hub/crops/seed-43",
    ):
        assert words in command
    assert ("(Hugging Face hub, revision 00000000)" in command) == (revision is not None)
    command = re.search(r"python .*scripts/write_report.py .*", done.stdout).group()
    assert "--title 'Report on sample'" in command and "--pairs " not in command and "--entry" not in command


def test_a_report_without_settings_is_told_in_a_line(checkout):
    done = snakemake(checkout, "-n", "write_report", "--configfile", "config/demo.yaml")
    assert done.returncode != 0
    _, said = done.stdout.split("Building DAG of jobs...\n")
    assert said == "config error: report: missing; this key is needed for a report and an adapted model\n"


def test_the_losses_of_a_run_with_two_labels_are_collected_under_both(checkout, tmp_path):
    """The printed command, on invented losses: a run is in an experiment twice where two of its steps are."""
    folder = shutil.copytree(checkout, tmp_path / "checkout")
    table = "results/smoke/tables/in_domain_losses.csv"
    done = snakemake(folder, table, "-n", "-p", "--configfile", "config/smoke.yaml")
    command = re.search(r"python .*scripts/collect_losses.py .*", done.stdout).group()
    for run in ("tiny_bert/crops", "tiny_embedding_layer/embedding_layer"):
        losses = folder / "results/smoke/runs/python_docs" / run / "seed-42/loss.csv"
        losses.parent.mkdir(parents=True)
        losses.write_text("step,loss\n1,0.5\n")
        encoder, recipe = run.split("/")
        (losses.parent / "run.json").write_text(f'{{"run": "python_docs/{encoder}/{recipe}/seed-42"}}')
    (folder / "logs/smoke/collect_losses").mkdir(parents=True)
    subprocess.run(["bash", "-c", command], cwd=folder, env=environment(), check=True)
    with open(folder / table, newline="", encoding="utf-8") as file:
        found = {(row["label"], row["encoder"]) for row in csv.DictReader(file)}
    assert found == {
        ("Crops", "tiny_bert"),
        ("Embedding layer (1 epoch)", "tiny_embedding_layer"),
        ("Embedding layer (2 epochs)", "tiny_embedding_layer"),
    }


@pytest.mark.parametrize(
    ("numbers", "drawn"),
    [
        (["mteb_layers"], {"figure4"}),
        (["temperature"], set()),
        (["temperature", "sentences", "masking", "learning_rate"], {"figure_s2"}),
    ],
)
def test_a_figure_is_drawn_from_published_numbers_if_they_suffice(with_sources, tmp_path, numbers, drawn):
    """Depth leaves out panels without numbers; the sweeps are all needed."""
    header, row = (with_sources / "config/smoke_published.csv").read_text().splitlines()[:2]
    rows = [",".join([name, *row.split(",")[1:]]) for name in numbers]
    (tmp_path / "published.csv").write_text("\n".join([header, *rows, ""]))
    words = ("--configfile", "config/smoke.yaml", "--config", f"published={tmp_path}/published.csv")
    done = snakemake(with_sources, "-n", "published", *words)
    assert done.returncode == 0, done.stdout
    assert set(re.findall(r"figures/smoke/published/(\w+)\.png", done.stdout)) == drawn


@pytest.mark.long
def test_an_expectation_is_checked_and_reruns_the_description_alone(checkout, tmp_path):
    """What is made of a corpus does not depend on what is expected of it; one that exists is checked all the same."""
    folder = tmp_path / "checkout"
    shutil.copytree(checkout, folder)
    rows = [f"the {'fox' if place % 2 else 'dog'} is number {place},{place % 2}" for place in range(40)]
    (folder / "news.csv").write_text("\n".join(["text,topic", *rows]))
    config = {
        "corpora": {
            "news": {"source": {"type": "file", "path": "news.csv", "label": "topic"}, "expect": {"rows": 41}},
            "few": {"source": {"type": "sample", "corpus": "news", "size": 20}},
        },
        "encoders": {"tfidf": {"type": "tfidf"}},
        "experiments": {"main": {"corpora": ["news", "few"], "models": [{"encoder": "tfidf"}]}},
        "tables": {"sizes": {"lay_out": "corpora", "corpora": ["news", "few"]}},
    }

    def run(*arguments):
        (folder / "my.yaml").write_text(yaml.safe_dump(config))
        return snakemake(folder, "figures/sizes.csv", "--configfile", "my.yaml", "--cores", "2", *arguments)

    done = run()
    line = "news: 40 texts instead of 41 (corpora.news.expect.rows); is this the right file or revision?"
    assert done.returncode != 0
    assert line in (folder / "logs/prepare_corpus/news.log").read_text()
    assert not list((folder / "results").rglob("*.parquet"))

    config["corpora"]["news"]["expect"] = {"rows": 40}
    assert run().returncode == 0
    made = {name: (folder / f"results/corpora/{name}.parquet").stat().st_mtime_ns for name in config["corpora"]}
    config["corpora"]["news"]["expect"] = {"rows": 40, "classes": 2}
    config["corpora"]["few"]["expect"] = {"labelled": 19}
    done = run("--keep-going")
    assert done.returncode != 0
    assert "few: 20 labelled texts instead of 19" in (folder / "logs/describe_corpus/few.log").read_text()
    config["corpora"]["few"]["expect"] = {"labelled": 20}
    assert run().returncode == 0
    for corpus, time in made.items():
        assert (folder / f"results/corpora/{corpus}.parquet").stat().st_mtime_ns == time
    assert "Nothing to be done" in run("-n").stdout


def test_runs_of_sweeps_alone_may_diverge_and_no_others(with_sources, plan_of):
    """A diverged run of a sweep is a result; anywhere else it is an error."""
    done = snakemake(with_sources, "--dry-run", "--printshellcmds", "--configfile", "config/smoke.yaml")
    commands = re.findall(r"--name (\S+) .*--may-diverge (\d)", done.stdout)
    asked = re.findall(r"may_diverge=(\d)", done.stdout)
    assert len(commands) == len(asked) == plan_of("config/smoke.yaml")["fine_tune"]
    study = expand(load(yaml.safe_load((with_sources / "config" / "smoke.yaml").read_text())))
    evaluations = [item for group in study.experiments.values() for item in group if item.model.recipe]
    plain = {item.model.path for item in evaluations if item.line.label == item.line.series}
    assert {flag for _, flag in commands} == {"0", "1"}
    for name, flag in commands:
        assert (flag == "0") == (f"tuned/{name}" in plain), name
    assert sorted(asked) == sorted(flag for _, flag in commands)
