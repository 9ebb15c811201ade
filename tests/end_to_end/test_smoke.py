"""The smoke config from a clean copy to its end: every file is there, is what it says, and comes out the same twice."""

import hashlib
import html
import json
import re
import shlex
import subprocess
import sys

import pandas as pd
import pytest
import resources
import rule_files
import yaml

from selfembed.scores.tables import LINE_COLUMNS, SCORE_COLUMNS
from warm_steps import run_program
from workflow_runs import ROOT, snakemake

CONFIG = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))
DOWNLOADS = {"download_file", "download_dataset", "download_encoder", "download_task"}


def test_every_rule_has_run_but_the_downloads(finished):
    assert {path.stem for path in (finished / "logs/smoke").iterdir()} == set(rule_files.directives()) - DOWNLOADS


def test_no_rule_used_more_than_it_asked_for(finished):
    done = snakemake(finished, "--dry-run", "--forceall", "--configfile", "config/smoke.yaml")
    asked = re.findall(r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    resources: (.*)$", done.stdout, re.MULTILINE)
    least = {}
    for rule, words in asked:
        found = {key: int(value) for key, value in re.findall(r"(mem_mb|runtime)=(\d+)", words)}
        least[rule] = {key: min(value, least.get(rule, found)[key]) for key, value in found.items()}
    least.pop("all")
    used = resources.used(finished / "logs/smoke")
    assert set(used.index) == set(least)
    for rule, row in used.iterrows():
        assert row["max_rss"] <= least[rule]["mem_mb"], rule
        assert row["s"] <= 60 * least[rule]["runtime"], rule


def test_smoke_draws_every_kind_of_figure_and_table_of_the_paper():
    paper = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    for group, kind in (("figures", "draw"), ("tables", "lay_out")):
        assert {item[kind] for item in paper[group].values()} <= {item[kind] for item in CONFIG[group].values()}


@pytest.mark.parametrize("table", CONFIG["tables"])
def test_every_table_is_csv_and_latex(finished, table):
    laid_out = pd.read_csv(finished / f"figures/smoke/{table}.csv")
    assert len(laid_out) and len(laid_out.columns) > 1
    assert (finished / f"figures/smoke/{table}.tex").read_text().count(r"\\") == len(laid_out) + 1


def test_mteb_scores_differ_between_steps_and_layers(finished):
    """With a cache that models share they would not."""
    for experiment, column in (("mteb_steps", "step"), ("mteb_layers", "layer")):
        table = pd.read_csv(finished / f"results/smoke/tables/{experiment}.csv")
        values = table.groupby(["corpus", "label"])
        assert (values["value"].nunique() == table[column].nunique()).mean() > 0.5
        assert values.size().nunique() == 1


def test_mteb_scores_say_how_texts_and_vectors_were_treated(finished):
    for experiment, treatment in (
        ("mteb_layers", "max_length=32 normalise=False"),
        ("mteb_types", "max_length=384 normalise=True"),
    ):
        table = pd.read_csv(finished / f"results/smoke/tables/{experiment}.csv")
        assert table["settings"].str.contains(treatment).all()


def test_differences_are_of_the_scores_and_said_in_words(finished):
    differences = pd.read_csv(finished / "figures/smoke/table_differences.csv")
    table = pd.read_csv(finished / "results/smoke/tables/without_labels.csv")
    values = table.groupby(["label", "score"])["value"].mean()
    assert len(differences) == 2 * 5  # two models against one, five numbers each
    for row in differences.to_dict("records"):
        value, reference = (values[row[column], row["score"]] for column in ("label", "against"))
        assert row["difference"] == pytest.approx(value - reference, abs=1e-6)
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        assert row["sentence"].startswith(f"{row['label']} ") and f": {row['verdict']}" in row["sentence"]
    assert set(differences["n_texts"]) == set(table["n_test"]) == {60}


def test_texts_with_two_labels_count_once_in_means(finished):
    """`packages` has the texts of `python_docs`."""
    table = pd.read_csv(finished / "figures/smoke/table_in_domain.csv", dtype=str)
    assert list(table.columns) == ["series", "python_docs", "packages", "mean of one corpus"]
    number = table["python_docs"].str.partition(" ")[0]
    assert number.tolist() == table["mean of one corpus"].tolist()


def test_published_numbers_are_compared(finished):
    comparison = pd.read_csv(finished / "results/smoke/tables/paper_comparison.csv")
    assert len(comparison) == 7
    assert set(comparison["verdict"]) <= {"within noise", "differs", "not run"}
    assert list(comparison.loc[comparison["verdict"] == "not run", "series"]) == ["Somebody else's model"]
    run = comparison[comparison["verdict"] != "not run"]
    assert (run["difference"] - (run["reproduced"] - run["published"])).abs().max() < 1e-9


def test_a_run_of_ours_is_an_embedding_matrix_where_it_should_be(finished):
    run = finished / "results/smoke/models/tuned/python_docs/tiny_embedding_layer/embedding_layer/seed-42"
    assert {path.name for path in run.glob("[!.]*")} == {"final", "epoch-1", "loss.csv", "run.json"}
    assert json.loads((run / "final" / "config.json").read_text())["num_hidden_layers"] == 0


PAGES = [name for name, figure in CONFIG["figures"].items() if figure["draw"] == "interactive_map"]


@pytest.mark.parametrize("figure", [*(name for name in CONFIG["figures"] if name not in PAGES), "paper_comparison"])
def test_every_figure_is_a_png_and_a_pdf(finished, figure):
    assert (finished / f"figures/smoke/{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert (finished / f"figures/smoke/{figure}.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("corpus", CONFIG["experiments"]["maps"]["corpora"])
def test_every_corpus_with_a_map_has_a_page_of_all_its_models(finished, corpus):
    page = (finished / f"figures/smoke/maps/{corpus}.html").read_text(encoding="utf-8")
    assert '"models":["Untrained","Crops"]' in page
    assert len(CONFIG["experiments"]["maps"]["models"]) == page.count('id="positions-')


def test_the_table_has_every_model_layer_pooling_and_seed(finished):
    table = pd.read_csv(finished / "results/smoke/tables/augmentations.csv")
    assert list(table.columns) == [*LINE_COLUMNS, *SCORE_COLUMNS]
    rows = table.groupby("label").size().to_dict()
    assert rows == {"TF-IDF": 1, "SVD": 1, "MiniLM": 7, "Untrained": 12, "Dropout": 12, "Crops": 12}
    assert table["value"].between(0, 1).all()
    assert table["n_test"].nunique() == 1  # one split for everything
    assert not table.drop(columns="value").duplicated().any()


def test_the_summary_is_of_the_table(finished):
    table = pd.read_csv(finished / "results/smoke/tables/augmentations.csv")
    summary = pd.read_csv(finished / "results/smoke/tables/augmentations_summary.csv")
    crops = table[(table["label"] == "Crops") & (table["layer"] == 2) & (table["pooling"] == "mean")]["value"]
    row = summary[(summary["label"] == "Crops") & (summary["layer"] == 2) & (summary["pooling"] == "mean")].iloc[0]
    assert row["mean"] == pytest.approx(crops.mean())
    assert row["standard_error"] == pytest.approx(crops.std() / 2**0.5)
    assert row["n_seeds"] == 2
    markdown = (finished / "results/smoke/tables/augmentations_summary.md").read_text()
    assert f"{100 * crops.mean():.1f}" in markdown


def test_equal_settings_were_trained_once(finished):
    runs = [path.parent.name for path in (finished / "results/smoke/models/tuned").rglob("seed-42")]
    assert runs.count("crops") == 2  # on two corpora, for ten experiments
    assert runs.count("crops_temperature-0.5") == runs.count("dropout") == 1


def test_a_run_says_what_made_it(finished):
    run = finished / "results/smoke/models/tuned/python_docs/tiny_bert/crops/seed-42"
    facts = json.loads((run / "run.json").read_text())
    assert facts["recipe"]["temperature"] == 0.05
    assert facts["recipe"]["seed"] == 42
    assert facts["recipe"]["augmentation"] == "crops"
    assert facts["recipe"]["epochs"] == 1
    assert facts["packages"]["torch"].startswith("2.")
    assert len(facts["base_weights"]) == len(facts["pairs"]) == 64
    history = pd.read_csv(run / "loss.csv")
    assert facts["steps"] == len(history)
    card = (run / "final" / "README.md").read_text()
    assert "SentenceTransformer(" in card
    assert "| temperature | 0.05 |" in card


def test_anyone_can_load_the_models(finished, tmp_path):
    """In a process that knows nothing of this project."""
    folders = ("models/tuned/python_docs/tiny_bert/crops/seed-42/final", "adapted_model")
    program = "import sys\nfrom sentence_transformers import SentenceTransformer\n"
    program += "for path in sys.argv[1:]:\n    print(SentenceTransformer(path).encode(['A text.']).shape)"
    (tmp_path / "stranger.py").write_text(program)
    folders = (f"results/smoke/{folder}" for folder in folders)
    done = run_program(tmp_path / "stranger.py", *folders, check=True, cwd=finished)
    assert done.stdout.splitlines()[-2:] == ["(1, 32)", "(1, 32)"]


def test_the_adapted_model_is_the_chosen_one_with_a_card_of_its_own(finished):
    choice = json.loads((finished / "results/smoke/choice.json").read_text())
    folder = {
        "Untrained": "base/tiny_bert/seed-42/0",
        "Titles": "tuned/python_docs/tiny_bert/titles_half/seed-42/final",
        "Titles, half": "tuned/python_docs/tiny_bert/titles_half/seed-42/interpolated-0.5",
    }[choice["label"]]
    chosen, model = finished / "results/smoke/models" / folder, finished / "results/smoke/adapted_model"
    names = {path.relative_to(model).as_posix() for path in model.rglob("[!.]*") if path.is_file()}
    assert names == {path.relative_to(chosen).as_posix() for path in chosen.rglob("*") if path.is_file()}
    assert all((model / name).read_bytes() == (chosen / name).read_bytes() for name in names - {"README.md"})
    assert f"# {choice['label']}: " in (model / "README.md").read_text(encoding="utf-8")


def test_the_story_is_told_on_one_page(finished):
    page = (finished / "results/smoke/report.html").read_text(encoding="utf-8")
    text = html.unescape(re.sub("<[^>]*>", "", page))
    assert CONFIG["report"]["title"] in text and CONFIG["report"]["title"] not in page
    table = pd.read_csv(finished / "results/smoke/tables/all_models.csv")
    assert set(table["label"]) == {"SVD", "MiniLM + words", "Titles", "Titles, half"}
    assert set(table.loc[table["is_candidate"], "label"]) == {"Titles", "Titles, half"}
    assert set(table["purpose"]) == {"search", "grouping"}
    choice = json.loads((finished / "results/smoke/choice.json").read_text())
    assert ("Keep the encoder as it is (Untrained)." in text) == (choice["label"] == "Untrained")
    assert "A check marks the text that belongs to the query." in text
    counts = json.loads((finished / "results/smoke/corpora/python_docs.json").read_text())["rows"]
    assert f"{counts['kept']:,} texts were kept" in text
    assert page.count('src="data:image/png;base64,') == 2
    for link in re.findall(r'<a href="([^#"]*\.html)"', page):
        assert (finished / "results/smoke" / link).resolve().is_file()
    assert "figures/smoke/maps/python_docs.html" in page


def test_exports_are_folders_and_rows_of_one_table(finished):
    results = finished / "results/smoke"
    exports = CONFIG["report"]["exports"]
    assert {path.name for path in (results / "exports").glob("[!.]*")} == set(exports)
    assert all((results / "exports" / name / "README.md").is_file() for name in exports)
    table = pd.read_csv(results / "tables/exports.csv")
    scores = {"title_pairs_title_recall@1", "title_pairs_title_recall@10", "title_pairs_title_mrr", "knn_half"}
    assert set(zip(table["label"], table["score"], strict=True)) == {
        (name, score) for name in exports for score in scores
    }
    assert set(table["against"]) == {"adapted_model"}
    assert all(name in (results / "report.html").read_text(encoding="utf-8") for name in exports)


def test_the_printed_command_gives_the_same_bytes_again(finished, tmp_path):
    """A run is repeated by hand, as a reader would, with the command that snakemake prints."""
    run = "results/smoke/models/tuned/python_docs/tiny_bert/dropout/seed-43"
    arguments = ("--dry-run", "--printshellcmds", "--forcerun", "fine_tune", "--configfile", "config/smoke.yaml")
    printed = snakemake(finished, run, *arguments).stdout
    command = next(line for line in printed.splitlines() if "warm.run scripts/fine_tune.py" in line)
    words = shlex.split(command.removeprefix("Shell command: "))
    words = words[words.index("python") : words.index(">")]
    words[words.index("--output") + 1] = str(tmp_path / "again")
    words[words.index("--record") + 1] = str(tmp_path / "record")
    subprocess.run([sys.executable, *words[1:]], cwd=finished, check=True, capture_output=True)
    for name in ("final/model.safetensors", "loss.csv", "run.json"):
        one, two = ((folder / name).read_bytes() for folder in (finished / run, tmp_path / "again"))
        assert hashlib.sha256(one).hexdigest() == hashlib.sha256(two).hexdigest(), name


def test_the_report_holds_figures_and_captions(finished):
    done = snakemake(finished, "--report", "report.html", "--configfile", "config/smoke.yaml")
    assert done.returncode == 0, done.stdout
    report = (finished / "report.html").read_text()
    for text in ("augmentations.png", "figure4.png", "table_mteb.html", "kNN accuracy at the last layer"):
        assert text in report
