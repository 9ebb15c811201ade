"""A stranger's path: from a file or folder of texts without labels to a model, evidence and a map."""

import json
import os
import subprocess

import numpy as np
import pandas as pd
import pytest
import yaml

from selfembed.texts import python_docs
from workflow_runs import DATA, ROOT, copy_of_checkout, planned, selfembed, snakemake, without_network

ABSTRACTS = DATA / "iclr_2017_2018_2021.parquet"
NUMBER = 200
NAMES = ("Before", "Titles ¼", "Titles ½", "Crops ¼", "Crops ½")
LONG_CELL = 1_000_000  # characters
EXPORTS = ["dimensions_64", "int8_vectors"]


@pytest.fixture(scope="module")
def docstrings():
    """Long docstrings with the names of what they describe: real texts that are always there."""
    table = python_docs.extract(["networkx", "sympy"])
    table = table[table["text"].str.len() > 700].drop_duplicates("text")
    return table.sample(NUMBER, random_state=1)[["title", "text"]].reset_index(drop=True)


@pytest.fixture(scope="module")
def abstracts(docstrings):
    """Abstracts with titles and without labels; docstrings where the file with the abstracts is not."""
    if not ABSTRACTS.is_file():
        print(f"{ABSTRACTS.name} is not here (set SELFEMBED_DATA to its folder); docstrings take the abstracts' place")
        return docstrings
    table = pd.read_parquet(ABSTRACTS, columns=["title", "abstract"]).drop_duplicates("abstract")
    found = table.sample(NUMBER, random_state=1).reset_index(drop=True)
    return found.rename(columns={"abstract": "text"})


@pytest.fixture(scope="module")
def messy(abstracts):
    """The same as people's tables are: an empty column, line breaks, quotes, emojis, a huge cell, gaps, a duplicate."""
    table = abstracts.assign(nothing="")
    table.loc[0, "text"] = (table["text"][0] + " ") * (LONG_CELL // len(table["text"][0]) + 1)
    table.loc[1, "text"] = 'He said: "yes, of course",\nand left.\r\n' + table["text"][1]
    table.loc[2, ["title", "text"]] = ["🚀 <b>Rockets</b>", "🙂 " + table["text"][2]]
    table.loc[3, "text"] = ""
    table.loc[4, "text"] = table["text"][5]
    return table


def run(folder, *arguments):
    """Run the command that proposes a config; return its name."""
    done = selfembed(folder, "propose", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def adapted(messy, tmp_path_factory):
    """A copy of the checkout in which a messy csv has been adapted to, with a quick look and short inputs.

    The encoder that is kept otherwise reads eight tokens, so a model with word counts is chosen.
    """
    folder = copy_of_checkout(tmp_path_factory.mktemp("adapted"))
    messy.to_csv(folder / "my papers.csv", index=False, encoding="utf-8-sig")
    config = folder / run(folder, "my papers.csv")
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    encoders = settings["encoders"]
    for name in ("minilm", "minilm_words"):
        encoders[name]["max_length"] = 48
    encoders["short"] = encoders["minilm"] | {"max_length": 8}
    for experiment in ("search", "maps"):
        (before,) = (model for model in settings["experiments"][experiment]["models"] if model["label"] == "Before")
        before["encoder"] = "short"
    settings["report"]["exports"] = EXPORTS
    settings["threads"] = {"fine_tune": 1, "embed": 1}
    config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    assert run(folder, "my papers.csv") == config.name  # edited, so it is kept
    arguments = ("adapt", "--workflow-profile", "profiles/adapt", "--configfile", config.name, "--cores", "2")
    done = snakemake(folder, *arguments, prefix=tuple(without_network()))
    assert done.returncode == 0, done.stdout[-5000:]
    assert planned(folder, *arguments) == {}
    return folder


@pytest.mark.long
def test_every_text_that_can_be_used_is_read_as_it_was_written(adapted, messy):
    corpus = pd.read_parquet(adapted / "results/my_papers/corpora/texts.parquet")
    written = [" ".join(text.split()) for text in messy["text"]]
    assert set(corpus["text"]) == set(written) - {""}
    assert len(corpus) == NUMBER - 2
    assert corpus["text"].str.len().max() >= LONG_CELL
    assert set(corpus["title"]) <= {" ".join(title.split()) for title in messy["title"]}
    assert corpus["label"].isna().all()


@pytest.mark.long
def test_the_model_loads_by_itself_and_embeds(adapted):
    from sentence_transformers import SentenceTransformer

    folder = adapted / "results/my_papers/adapted_model"
    model = SentenceTransformer(str(folder), trust_remote_code=True, device="cpu")
    vectors = model.encode(["One text.", "Another"])
    assert len(vectors) == 2 and vectors.shape[1] > 384, "with word counts"
    assert np.isfinite(vectors).all()
    assert not np.allclose(vectors[0], vectors[1])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)  # the encoder's own Normalize


@pytest.mark.long
def test_a_model_with_word_counts_is_exported_and_its_exports_are_compared_with_it(adapted):
    from sentence_transformers import SentenceTransformer

    results = adapted / "results/my_papers"
    label = json.loads((results / "choice.json").read_text())["label"]
    assert label in {f"{name} + words" for name in NAMES}
    table = pd.read_csv(results / "tables/exports.csv")
    assert table["label"].unique().tolist() == EXPORTS and set(table["against"]) == {"adapted_model"}
    assert (table["against_value"] > 0).all()
    for name in EXPORTS:
        folder = results / "exports" / name
        assert "trust_remote_code=True" in (folder / "README.md").read_text(encoding="utf-8")
        model = SentenceTransformer(str(folder), trust_remote_code=True, device="cpu")
        assert (model.get_embedding_dimension() == 64) == (name == "dimensions_64")


@pytest.mark.long
def test_evidence_is_of_texts_that_no_model_has_seen(adapted):
    titles = pd.read_parquet(adapted / "results/my_papers/corpora/titles_of_texts.parquet")
    held_out = set(titles["id"].str.split("/").str[0])
    assert len(held_out) >= 50
    for recipe in ("titles", "crops"):
        (path,) = adapted.glob(f"results/my_papers/pairs/texts/{recipe}*/epochs-*/seed-42.parquet")
        assert not held_out & set(pd.read_parquet(path)["id"])


@pytest.mark.long
def test_every_model_is_compared_with_the_encoder(adapted):
    table = pd.read_csv(adapted / "results/my_papers/tables/all_models.csv")
    assert set(table["label"]) == {"TF-IDF", *(f"{name} + words" for name in NAMES)}
    assert set(table["against"]) == {"Before"} and set(table["purpose"]) == {"search"}
    for row in table.to_dict("records"):
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        assert row["verdict"] in row["sentence"]
    assert {path.name for path in adapted.glob("figures/my_papers/*.png")} == {"search.png", "losses.png"}


@pytest.mark.long
def test_the_report_answers_shows_the_map_and_says_what_cannot_be_judged(adapted):
    page = (adapted / "results/my_papers/report.html").read_text(encoding="utf-8")
    label = json.loads((adapted / "results/my_papers/choice.json").read_text())["label"]
    assert f"For search, use {label}." in page
    assert "cannot be judged without labels" in page
    assert page.count('"../../figures/my_papers/maps/texts.html#') == 2  # a frame and a link
    assert "Its own modules after the transformer were kept: mean pooling and Normalize." in page
    log = (adapted / "logs/my_papers/write_report.log").read_text(encoding="utf-8")
    assert "cannot be judged without labels" in log


@pytest.mark.long
def test_the_map_has_both_models_and_shows_titles_as_text(adapted):
    page = (adapted / "figures/my_papers/maps/texts.html").read_text(encoding="utf-8")
    assert '"models":["Before","Titles ½ + words"]' in page
    assert "🚀" in page and "<b>Rockets" not in page


@pytest.mark.long
def test_a_folder_of_docstrings_goes_the_same_way(docstrings, tmp_path):
    """Up to the corpora; what follows does not know where they come from."""
    folder = copy_of_checkout(tmp_path)
    for number, text in enumerate(docstrings["text"]):
        path = folder / "docs of mine" / f"part {number % 2}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = run(folder, "docs of mine", "--label", "folder", "--name", "docs")
    arguments = ("--configfile", config, "--cores", "1")
    plan = planned(folder, "adapt", *arguments)
    assert plan["fine_tune"] == 1 and plan["score_crop_pairs"] == plan["score_knn"] == 3 + 4
    crops = "results/docs/corpora/crops_of_texts.parquet"
    done = snakemake(folder, crops, *arguments)
    assert done.returncode == 0, done.stdout[-3000:]
    corpus = pd.read_parquet(folder / "results/docs/corpora/texts.parquet")
    assert set(corpus["text"]) == {" ".join(text.split()) for text in docstrings["text"]}
    assert set(corpus["label"]) == {"part 0", "part 1"}
    assert "part 0/0" in set(corpus["title"])
    assert planned(folder, crops, *arguments) == {}
    path = folder / "docs of mine" / "part 0" / "0.txt"
    path.write_text("Something else.")
    os.utime(path, (1, 1))  # an older file in the place of another is a change, too
    assert planned(folder, crops, *arguments) == {"collect_texts": 1, "prepare_corpus": 1, "crop_corpus": 1}


@pytest.mark.long
def test_a_table_from_a_spreadsheet_in_another_encoding_goes_the_same_way(docstrings, tmp_path):
    folder = copy_of_checkout(tmp_path)
    table = docstrings.assign(
        text="Größe, café – " + docstrings["text"].str.encode("ascii", "ignore").str.decode("ascii")
    )
    table.to_csv(folder / "table.csv", index=False, sep=";", encoding="cp1252")
    config = run(folder, "table.csv")
    done = snakemake(folder, "results/table/corpora/titles_of_texts.parquet", "--configfile", config, "--cores", "1")
    assert done.returncode == 0, done.stdout[-3000:]
    corpus = pd.read_parquet(folder / "results/table/corpora/texts.parquet")
    assert set(corpus["text"]) == {" ".join(text.split()) for text in table["text"]}


def test_the_example_of_a_config_takes_its_columns_from_the_command_line(docstrings, tmp_path):
    folder = copy_of_checkout(tmp_path)
    docstrings.rename(columns={"text": "body"}).to_csv(folder / "t.csv", index=False)
    source = "corpora={texts: {source: {path: t.csv, text: body}}}"
    arguments = ("adapt", "--configfile", "config/own_texts.yaml", "--config", "folder=mine", source)
    assert planned(folder, *arguments)["fine_tune"] == 2


def test_make_asks_for_texts_in_one_line():
    done = subprocess.run(
        ["make", "--old-file=env", "adapt"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | {"TEXTS": "of others"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert (
        done.stdout == "error: which texts? make adapt TEXTS=file.csv (or .tsv, .jsonl, .json, .parquet, .xlsx, "
        "a folder of .txt or .md files, or hf://owner/name)\n"
    )


@pytest.mark.long
def test_the_config_that_is_proposed_is_ignored_by_git(adapted):
    listed = subprocess.run(["git", "check-ignore", "my_papers.yaml"], cwd=ROOT, capture_output=True, text=True)
    assert listed.stdout == "my_papers.yaml\n"
    assert yaml.safe_load((adapted / "my_my_papers.yaml").read_text())["folder"] == "my_papers"
