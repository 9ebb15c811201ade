"""New texts on the map of a finished study: old texts stay, similar texts are near, nothing is embedded twice."""

import base64
import json
import re
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import small_pages
import yaml
from sentence_transformers import SentenceTransformer
from settings_examples import WITH_REPORT, changed
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import normalize
from small_models import WORDS, small_bert
from with_defaults import layout, prepare

import compute_tsne
import draw_interactive_map
import embed
import find_neighbors
import name_clusters
from selfembed import cli
from selfembed.errors import InputError
from selfembed.jobs.seals import checksum
from selfembed.maps.nearest_texts import nearest_texts
from selfembed.models import encoders
from selfembed.pages.interactive_map import aligned, quantise
from selfembed.placing import on_map, vectors_of_texts

# Positions and neighbours


@pytest.fixture(scope="module")
def groups():
    """Vectors of 90 texts in three groups, their groups, and their map."""
    generator = np.random.default_rng(1)
    group = np.arange(90) % 3
    vectors = (3 * np.eye(3, 20)[group] + generator.normal(size=(90, 20))).astype(np.float32)
    return vectors, group, layout(vectors)


def new_vectors(count):
    generator = np.random.default_rng(2)
    group = generator.integers(3, size=count)
    return (3 * np.eye(3, 20)[group] + generator.normal(size=(count, 20))).astype(np.float32), group


def distances(positions, others):
    return np.linalg.norm(positions[:, None] - others[None], axis=2)


def test_new_texts_are_in_the_part_of_the_map_that_texts_like_them_have(groups):
    vectors, group, positions = groups
    before = positions.copy()
    new, of_new = new_vectors(60)
    placed = on_map.place(vectors, positions, new, threads=1)
    assert (positions == before).all()
    nearest = distances(placed, positions).argmin(axis=1)
    assert (group[nearest] == of_new).mean() > 0.9


def test_a_position_does_not_depend_on_other_new_texts(groups):
    vectors, _, positions = groups
    new, _ = new_vectors(5)
    together = on_map.place(vectors, positions, new, threads=1)
    alone = np.vstack([on_map.place(vectors, positions, new[[row]], threads=1) for row in range(5)])
    assert (together == alone).all()


def test_a_text_with_the_vector_of_an_old_text_is_next_to_it(groups):
    vectors, _, positions = groups
    placed = on_map.place(vectors, positions, vectors, threads=1)
    ranks = distances(placed, positions).argsort(axis=1).argsort(axis=1)[np.arange(90), np.arange(90)]
    assert np.median(ranks) <= 2 and ranks.max() < 15


@pytest.mark.parametrize(("old", "new"), [(10, 1), (10, 30), (60, 7), (300, 1)])
def test_neighbours_with_new_texts_are_those_of_the_search_among_all(old, new):
    vectors = np.random.default_rng(3).normal(size=(old + new, 8)).astype(np.float32)
    vectors[-1] = vectors[4]
    found = on_map.nearest(nearest_texts(vectors[:old]), normalize(vectors))
    assert (found == nearest_texts(vectors)).all()


def test_neighbours_of_many_texts_that_are_the_same_are_others():
    vectors = np.random.default_rng(1).normal(size=(4, 8))[np.repeat([0, 1, 2, 3], 25)]
    found = on_map.nearest(nearest_texts(vectors[:80]), normalize(vectors))
    assert not (found == np.arange(100)[:, None]).any()
    assert (found == nearest_texts(vectors)).all()


def test_no_old_text_moves_in_the_page_even_if_a_new_one_is_far_away(groups):
    _, _, positions = groups
    first = positions @ np.array([[0, 1], [-1, 0]]) + 3
    rows = np.arange(0, 90, 2)
    before = quantise(aligned([first[rows], positions[rows]])[1])
    new = np.array([[1e4, -1e4], [0, 0]])
    together = on_map.as_in_page(positions, rows, first, new)
    assert len(together) == 92
    after = quantise(aligned([together[[*rows, 90, 91]]])[0])
    assert (after[:-2] == before).all()


# The command

STUDY = WITH_REPORT | {
    "experiments.maps": {
        "corpora": ["notes"],
        "scores": [],
        "maps": True,
        "models": [{"encoder": "tiny"}, {"encoder": "tiny", "recipe": "crops"}],
    },
    "figures.explore": {"draw": "interactive_map", "experiment": "maps", "clusters": 3, "points": 50, "title": "Notes"},
}
BEFORE, AFTER = "tiny", "tiny + crops"
MODELS = {BEFORE: "base/tiny/seed-1/0", AFTER: "tuned/notes/tiny/crops/seed-1/final"}
N_TEXTS = 60
VECTORS = "results/study/placed/vectors"


def some_texts(count, seed):
    generator = np.random.default_rng(seed)
    return [" ".join(generator.choice(WORDS, 12)) for _ in range(count)]


def choose(label):
    Path("results/study/choice.json").write_text(json.dumps({"label": label}), encoding="utf-8")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """What a study leaves behind: a config, a corpus, two small models, their embeddings, maps and page."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "study.yaml").write_text(yaml.safe_dump(changed(STUDY)), encoding="utf-8")
    results = folder / "results/study"
    corpus = results / "corpora/notes.parquet"
    corpus.parent.mkdir(parents=True)
    table = pd.DataFrame({"text": some_texts(N_TEXTS, 3)}).assign(id=None, title=None, label=None)
    prepare(table)[0].to_parquet(corpus)
    made = {}
    for seed, path in enumerate(MODELS.values()):
        encoders.save(small_bert(folder / f"tokenizer {seed}", seed=seed), results / "models" / path, "# Card")
        place = f"notes/{path}/mean_last"
        given = ["--corpus", str(corpus), "--embeddings", str(results / "embeddings" / place)]
        how = shlex.split("--layers last --poolings mean --max-length 64 --precision fp32 --threads 1 --device cpu")
        embed.main([*given[:2], "--model", str(results / "models" / path), *how, "--output", given[-1]])
        files = {name: results / name / f"{place}.parquet" for name in ("maps", "neighbors", "clusters")}
        how = ["--perplexity", "30", "--seed", "42", "--threads", "1"]
        compute_tsne.main([*given, *how, "--output", str(files["maps"])])
        find_neighbors.main([*given, "--points", "50", "--threads", "1", "--output", str(files["neighbors"])])
        made[path] = files
    names = results / f"clusters/{place}.csv"
    name_clusters.main([*given, "--clusters", "3", "--output", str(files["clusters"]), "--names", str(names)])
    drawn = ["--corpus", str(corpus), "--clusters", str(files["clusters"]), str(names), "--models", *MODELS]
    for option in ("maps", "neighbors"):
        drawn += [f"--{option}", *(str(files[option]) for files in made.values())]
    drawn += ["--title", "Notes", "--points", "50", "--output", str(folder / "figures/study/maps/notes.html")]
    draw_interactive_map.main(drawn)
    shutil.copytree(results / "models" / MODELS[AFTER], results / "adapted_model")
    return folder


@pytest.fixture
def study(finished, tmp_path, monkeypatch):
    """A working directory with a copy of the finished study, whose recommended model is the fine-tuned one."""
    shutil.copytree(finished, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    # A process of its own would import torch for every call; the end-to-end test starts it.
    monkeypatch.setattr(vectors_of_texts, "subprocess", SimpleNamespace(run=in_this_process))
    choose(AFTER)
    return tmp_path / "work"


def in_this_process(command):
    assert Path(command[1]) == Path(embed.__file__)
    embed.main(command[2:])
    return SimpleNamespace(returncode=0)


def place(texts, *arguments, name="new.csv"):
    """Write a file of texts, run the command, and return its table and its page."""
    pd.DataFrame({"text": texts}).to_csv(name, index=False)
    cli.main(["place", "study.yaml", name, *arguments])
    written = Path("results/study/placed", name)
    page = written.with_suffix(".html").read_text(encoding="utf-8")
    return pd.read_csv(written, keep_default_na=False), page


def block(page, name, dtype):
    return np.frombuffer(base64.b64decode(re.search(f'id="{name}">([^<]*)<', page)[1]), dtype=dtype)


def part(page, name):
    return json.loads(re.search(f'id="{name}">([^<]*)<', page)[1])


def old_corpus():
    return pd.read_parquet("results/study/corpora/notes.parquet")


def encoded(folder, texts):
    return SentenceTransformer(str(folder), device="cpu").encode(list(texts))


@pytest.mark.slow
def test_the_map_keeps_its_texts_and_gets_the_new_ones(study, capsys):
    others = {path: checksum(path) for path in study.rglob("*") if path.is_file()}
    old, new = old_corpus(), some_texts(7, 5)
    table, page = place([*old["text"][:20].str.replace(" ", "  "), *new, new[0]])
    assert {path: checksum(path) for path in others} == others
    assert table["text"].tolist() == new
    before = Path("figures/study/maps/notes.html").read_text(encoding="utf-8")
    assert part(page, "facts")["models"] == [AFTER] and part(page, "facts")["total"] == N_TEXTS + 7
    assert part(page, "texts")["ids"] == part(before, "texts")["ids"] + table["id"].tolist()
    assert (block(page, "positions-0", "<u2")[:100] == block(before, "positions-1", "<u2")).all()
    coloring = part(page, "facts")["colorings"][0]
    assert [(entry["name"], entry["count"]) for entry in coloring["classes"]] == [("new.csv", 7), (None, 50)]
    assert coloring["rest"] == "texts of the map"
    assert (block(page, "classes-0", "<u2") == [1] * 50 + [0] * 7).all()
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"27 texts, of which 20 are on the map of {AFTER} already"
    assert re.fullmatch(r"\d+% of the 7 new texts are less similar .*\(cosine < .*\)", said[1])
    assert said[2] == "Table: results/study/placed/new.csv    Map: results/study/placed/new.html"


@pytest.mark.slow
def test_neighbours_and_clusters_are_those_of_the_vectors_of_the_model(study):
    old, new = old_corpus(), some_texts(7, 5)
    table, page = place(new)
    vectors = encoded("results/study/adapted_model", [*old["text"], *new])
    alike = cosine_similarity(vectors[N_TEXTS:], vectors[:N_TEXTS])
    nearest = np.argsort(-alike, axis=1)[:, :10]
    assert [json.loads(cell) for cell in table["nearest"]] == [old["id"].iloc[row].tolist() for row in nearest]
    assert table["similarity"].to_numpy() == pytest.approx(alike.max(axis=1), abs=1e-3)
    place_of = f"results/study/clusters/notes/{MODELS[AFTER]}/mean_last"
    names = pd.read_csv(f"{place_of}.csv").set_index("cluster")["name"]
    clusters = pd.read_parquet(f"{place_of}.parquet")["cluster"].map(names)
    assert table["cluster"].tolist() == clusters.iloc[nearest[:, 0]].tolist()
    ids = part(page, "texts")["ids"]
    shown = [old["id"].tolist().index(text) for text in ids[:50]] + list(range(N_TEXTS, N_TEXTS + 7))
    found = block(page, "neighbors-0", "<i4").reshape(57, 10)
    assert (found == nearest_texts(vectors[shown])).all()


@pytest.mark.slow
def test_of_a_file_that_has_grown_only_texts_that_were_not_seen_are_embedded(study):
    texts = some_texts(9, 5)
    first, _ = place(texts[:4])
    (stored,) = Path(VECTORS).glob("*/*.parquet")
    written = checksum(next(stored.with_suffix("").glob("*.npy")))
    grown, _ = place([*old_corpus()["text"], *texts])
    blocks = {path: pd.read_parquet(path)["text"].tolist() for path in Path(VECTORS).glob("*/*.parquet")}
    assert sorted(blocks.values(), key=len) == [texts[:4], texts[4:]]
    assert checksum(next(stored.with_suffix("").glob("*.npy"))) == written
    columns = ["id", "x", "y", "cluster", "similarity", "nearest"]
    assert grown["text"].tolist() == texts and grown[:4][columns].equals(first[columns])
    again, _ = place(texts, name="other.csv")
    assert again.equals(grown) and len(list(Path(VECTORS).glob("*/*.parquet"))) == 2


@pytest.mark.slow
def test_an_interrupted_job_is_done_again(study):
    first, _ = place(some_texts(4, 5))
    (stored,) = Path(VECTORS).glob("*/*.parquet")
    shutil.rmtree(stored.with_suffix(""))
    again, _ = place(some_texts(4, 5))
    assert again.equals(first)


@pytest.mark.slow
def test_models_and_embeddings_that_were_removed_are_not_needed(study):
    """As after a study with `keep: results`."""
    first, _ = place(some_texts(4, 5))
    for name in ("embeddings", "placed", "models/tuned"):
        shutil.rmtree(study / "results/study" / name)
    again, _ = place(some_texts(4, 5))
    exact = ["id", "text", "cluster", "nearest"]
    assert again[exact].equals(first[exact])
    assert again[["x", "y"]].to_numpy() == pytest.approx(first[["x", "y"]].to_numpy(), abs=1e-3)
    assert sorted(len(pd.read_parquet(path)) for path in Path(VECTORS).glob("*/*.parquet")) == [4, N_TEXTS]


@pytest.mark.slow
def test_the_recommended_model_is_used_if_it_is_on_the_map_and_the_last_one_otherwise(study):
    choose(BEFORE)
    _, page = place(some_texts(2, 5))
    assert part(page, "facts")["models"] == [BEFORE]
    choose("another")
    _, page = place(some_texts(2, 5))
    assert part(page, "facts")["models"] == [AFTER]


@pytest.mark.slow
def test_hostile_texts_are_shown_as_text(study):
    hostile = [*small_pages.HOSTILE, "=1+1", "zero\u200bwidth", "long " * 2000]
    table, page = place(hostile)
    assert table["text"].tolist() == [" ".join(text.split()) for text in hostile]
    assert "<script>window" not in page and '<img src="x"' not in page
    assert len(part(page, "texts")["texts"]) == 50 + len(hostile)
    assert np.isfinite(table[["x", "y"]]).all(axis=None)


@pytest.mark.slow
def test_other_columns_formats_and_folders(study):
    table = pd.DataFrame({"number": [1, 2], "body": some_texts(2, 5)})
    table.to_json("lines.jsonl", orient="records", lines=True)
    cli.main(["place", "study.yaml", "lines.jsonl"])
    table.rename(columns={"number": "text"}).to_csv("named.csv", index=False)
    cli.main(["place", "study.yaml", "named.csv", "--text", "body"])
    Path("folder.v2").mkdir()
    for number, text in enumerate(some_texts(2, 5)):
        Path(f"folder.v2/{number}.txt").write_text(text)
    cli.main(["place", "study.yaml", "folder.v2"])
    for name in ("lines", "named", "folder.v2"):
        assert pd.read_csv(f"results/study/placed/{name}.csv")["text"].tolist() == some_texts(2, 5)


def test_nothing_is_written_if_all_texts_are_on_the_map(study, capsys):
    old_corpus()[["text"]].to_csv("old.csv")
    cli.main(["place", "study.yaml", "old.csv"])
    assert capsys.readouterr().out == f"60 texts, of which 60 are on the map of {AFTER} already\n"
    assert not Path("results/study/placed").exists()


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (lambda: Path("new.csv").unlink(), "new.csv: does not exist; expected: a file or a folder"),
        (lambda: Path("new.csv").write_text(""), "new.csv: "),
        (lambda: Path("new.csv").write_text("text\n"), "new.csv: no rows; expected: one text per row"),
        (lambda: Path("new.csv").write_text("text,n\n ,1\n"), "new.csv: no texts left"),
        (lambda: Path("new.csv").write_text("a,b\n1,2\n"), "new.csv: no column contains texts of several words"),
        (lambda: Path("results/study/choice.json").unlink(), "choice.json: missing; expected: a finished study"),
        (lambda: shutil.rmtree("results/study/maps"), "mean_last.parquet: missing; expected: a finished study"),
        (lambda: shutil.rmtree("results/study/models"), "final: missing; expected: a finished study"),
        (lambda: without("report"), "study.yaml: report: missing"),
        (lambda: without("explore"), "study.yaml: figures: no interactive map of 'notes'"),
    ],
)
def test_what_is_missing_is_told_in_one_line(study, problem, message):
    choose("another")
    Path("new.csv").write_text("text\nsome new text\n")
    problem()
    with pytest.raises(InputError, match=message) as raised:
        cli.main(["place", "study.yaml", "new.csv"])
    assert "\n" not in str(raised.value)
    assert not Path("results/study/placed").exists()


def without(key):
    """Remove the report or a figure of the config."""
    config = yaml.safe_load(Path("study.yaml").read_text())
    (config if key in config else config["figures"]).pop(key)
    Path("study.yaml").write_text(yaml.safe_dump(config))


def test_a_run_that_diverged_has_no_map_to_place_texts_on(study):
    path = Path(f"results/study/maps/notes/{MODELS[AFTER]}/mean_last.parquet")
    pd.read_parquet(path).assign(x=np.nan, y=np.nan).to_parquet(path)
    path.with_name(f".{path.name}.seal").unlink()
    with pytest.raises(InputError, match="the run diverged, so there is no map"):
        place(some_texts(2, 5))
