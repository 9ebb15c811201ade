"""A run that diverges: an error, or, in a sweep, a result that goes all the way to the figure."""

import json
import logging

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from small_models import SENTENCE, small_bert, text
from with_defaults import train

import collect_losses
import collect_scores
import compare_with_paper
import compute_tsne
import draw_hyperparameters
import draw_interactive_map
import draw_losses
import draw_maps
import embed
import find_neighbors
import fine_tune
import lay_out_differences
import lay_out_scores
import make_pairs
import name_clusters
import score_crop_pairs
import score_knn
import score_linear
import score_mteb
import summarise_scores
from selfembed.drawing import figures
from selfembed.errors import InputError
from selfembed.jobs import records
from selfembed.models import encoders
from selfembed.pages import account
from selfembed.scores import tables
from selfembed.scores.measures import Number
from selfembed.training import divergence, training

NUMBERS = {"knn": Number("accuracy", "kNN accuracy")}
MEASURE = "--measure knn accuracy kNN"

SEEDS = (1, 2)
NAN_RATE = "1e30"  # weights overflow in the first steps
RATES = ("1e-3", "1e-2", NAN_RATE)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A base model, corpora and pairs, as the scripts read them: 6 steps of 4 pairs in 2 epochs."""
    place = tmp_path_factory.mktemp("study")
    encoders.save(small_bert(place / "tokenizer", max_length=128), place / "base" / "0", "card")
    texts = [". ".join(f"{SENTENCE} {text(6, number + part)}" for part in range(4)) for number in range(40)]
    labels = [("a", "b", "c")[number % 3] for number in range(40)]
    corpus = pd.DataFrame({"id": [f"t{n}" for n in range(40)], "text": texts, "label": labels, "title": None})
    records.write_table(corpus, place / "corpus.parquet")
    crops = pd.DataFrame({"id": [f"t{n}/{crop}" for n in range(20) for crop in (0, 1)], "text": texts, "label": None})
    records.write_table(crops.assign(title=None), place / "crops.parquet")
    records.write_table(corpus.head(12), place / "part.parquet")
    flags = "--type crops --epochs 2 --seed 3 --corpus {0}/part.parquet --output {0}/pairs.parquet"
    make_pairs.main(f"{flags} --settings {{0}}/pairs.json".format(place).split())
    return place


def trained(study, output, *flags, rate=NAN_RATE, seed=1, keep="1 2 epoch-1 epoch-2 interpolated-0.25"):
    """A run of the script; its folder."""
    name = f"news/tiny/{output.parent.name}/{output.name}"
    fine_tune.main(
        f"--base {study}/base --pairs {study}/pairs.parquet --pairs-settings {study}/pairs.json --name {name}"
        f" --seed {seed} --batch-size 4 --warmup 1 --learning-rate {rate} --device cpu --keep {keep}"
        f" --output {output}".split()
        + list(flags)
    )
    return output


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def diverged(study, tmp_path_factory):
    """A run that diverged as one of a sweep."""
    return trained(study, tmp_path_factory.mktemp("crops") / "seed-1", "--may-diverge", "1")


@pytest.mark.slow
def test_outside_a_sweep_it_is_an_error(study, tmp_path):
    for flags in ((), ("--may-diverge", "0")):
        with pytest.raises(
            InputError, match=r"^loss is nan at step \d of 6 \(epoch 0, .*; try a smaller learning_rate"
        ):
            trained(study, tmp_path / "seed-1", *flags)
        assert not (tmp_path / "seed-1").exists()


def test_in_a_sweep_the_run_says_where_and_no_folder_looks_like_a_model_without_being_one(diverged):
    run = json.loads((diverged / "run.json").read_text())
    losses = tables.read(diverged / "loss.csv", "loss")
    step = run["diverged"]["step"]
    assert run["diverged"] == {"step": step, "loss": "nan"}
    assert 2 < step < 6
    assert run["steps"] == len(losses) == step
    assert losses["loss"].isna().tolist() == [False] * (step - 1) + [True]
    for name, number in {"1": 1, "2": 2, "epoch-1": 3, "epoch-2": 6, "final": 6, "interpolated-0.25": 6}.items():
        if number < step - 1:
            weights = load_file(diverged / name / "model.safetensors")
            assert all(torch.isfinite(value).all() for value in weights.values())
            assert divergence.of_model(diverged / name) is None
        else:  # the step whose loss was not finite began from the weights of the step before it
            assert [path.name for path in (diverged / name).iterdir()] == ["diverged.json"]
            assert divergence.of_model(diverged / name)["diverged"] == run["diverged"]


@pytest.mark.slow
def test_a_run_that_stays_finite_is_the_same_whether_it_may_diverge(study, tmp_path):
    plain = contents(trained(study, tmp_path / "a" / "seed-1", rate="1e-3"))
    may = contents(trained(study, tmp_path / "b" / "seed-1", "--may-diverge", "1", rate="1e-3"))
    assert "diverged" not in json.loads(may["run.json"])
    for name in ("loss.csv", "final/model.safetensors", "epoch-1/model.safetensors"):
        assert plain[name] == may[name]


class Killed(BaseException):
    """What no code catches."""


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_killed_run_diverges_at_the_same_step_with_the_same_files(study, diverged, tmp_path, monkeypatch, after):
    """Whether it was killed well before the divergence or in the step before it."""
    whole, output = training.History.on_log, tmp_path / diverged.parent.name / "seed-1"
    flags = ("--may-diverge", "1", "--checkpoint-minutes", "0")

    def killed(self, args, state, control, logs=None, **kwargs):
        whole(self, args, state, control, logs, **kwargs)
        if state.global_step == after + 1:
            raise Killed

    monkeypatch.setattr(training.History, "on_log", killed)
    if after + 1 < json.loads((diverged / "run.json").read_text())["diverged"]["step"]:
        with pytest.raises(Killed):
            trained(study, output, *flags)
        assert (output.parent / ".seed-1.unfinished" / f"checkpoint-{after}").is_dir()
    monkeypatch.undo()
    trained(study, output, *flags)
    assert contents(output) == contents(diverged)


def test_weights_that_the_last_step_breaks_are_no_model(tmp_path):
    """No later step's loss tells of them."""
    pairs = pd.DataFrame({"epoch": 0, "anchor": [text(6, n) for n in range(8)], "positive": text(8)})
    model = small_bert(tmp_path / "tokenizer")

    def break_it(name, history):
        with torch.no_grad():
            model[0].model.encoder.layer[1].output.dense.weight.fill_(float("nan"))

    with pytest.raises(training.Divergence, match=r"^loss is nan after step 2 of 2 ") as error:
        train(model, pairs, seed=1, batch_size=4, kept_steps=["2"], keep=break_it)
    assert np.isfinite(error.value.history["loss"]).all()
    assert (error.value.step, error.value.loss, error.value.lost) == (2, "nan", ["2"])


# From the embeddings to the figure ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sweep(study, tmp_path_factory):
    """Embeddings and scores of a sweep of learning rates; both seeds of the last diverged, and one of 1e-2."""
    place = tmp_path_factory.mktemp("sweep")
    for rate in RATES:
        for seed in SEEDS:
            actual = NAN_RATE if (rate, seed) == ("1e-2", 2) else rate
            folder = place / "models" / f"crops_learning_rate-{rate}" / f"seed-{seed}"
            trained(study, folder, "--may-diverge", "1", rate=actual, seed=seed)
            for corpus in ("corpus", "crops"):
                words = f"--model {folder}/final --corpus {study}/{corpus}.parquet --layers all --poolings mean cls"
                embed.main(f"{words} --device cpu --output {place}/embeddings/{corpus}/{rate}/{seed}".split())
            score(study, place, rate, seed)
    return place


SCORES = {"knn": (score_knn, "corpus"), "linear": (score_linear, "corpus"), "crop_pairs": (score_crop_pairs, "crops")}


def score(study, place, rate, seed):
    """Write every score on a corpus, and one on a task."""
    path = f"tuned/news/tiny/crops_learning_rate-{rate}/seed-{seed}"
    for name, (script, corpus) in SCORES.items():
        words = f"--embeddings {place}/embeddings/{corpus}/{rate}/{seed} --corpus {study}/{corpus}.parquet"
        words += f" --model {path} --step final --score {name} --output {place}/scores/{name}/{rate}/{seed}.csv"
        script.main(f"{words} --outcomes {place}/scores/{name}/{rate}/{seed}.parquet".split())
    folder = f"{place}/models/{path.split('/', 3)[3]}/final"
    words = f"--model {folder} --path {path} --step final --task Own own clustering {study}/corpus.parquet"
    words += f" --score mean 1 raw Own --device cpu --output {place}/scores/mteb/{rate}/{seed}.csv"
    score_mteb.main(words.split())


def collected(place, output, score="knn"):
    """The table of the sweep."""
    words = []
    for rate in RATES:
        files = [f"{place}/scores/{score}/{rate}/{seed}.csv" for seed in SEEDS]
        words += ["--entry", f"Crops, learning_rate {rate}", "Crops", rate, "", *files]
    collect_scores.main([*words, "--output", str(output)])
    return tables.read(output)


def has_diverged(rate, seed):
    return rate == NAN_RATE or (rate, seed) == ("1e-2", 2)


@pytest.mark.slow
def test_embeddings_of_a_run_that_diverged_have_no_vectors(sweep):
    for rate in RATES:
        for seed in SEEDS:
            folder = sweep / "embeddings" / "corpus" / rate / str(seed)
            names = {path.name for path in folder.iterdir()}
            assert names == {"embeddings.json"} | ({"embeddings.npy"} if not has_diverged(rate, seed) else set())
    facts = json.loads((sweep / "embeddings" / "corpus" / NAN_RATE / "1" / "embeddings.json").read_text())
    assert (facts["poolings"], facts["layers"], facts["last_layer"]) == (["mean", "cls"], [0, 1, 2], 2)
    assert set(facts["diverged"]) == {"step", "loss"}


@pytest.mark.parametrize("score", [*SCORES, "mteb"])
def test_scores_of_a_run_that_diverged_are_rows_of_the_same_identity_without_a_value(sweep, score):
    whole = tables.read(sweep / "scores" / score / "1e-3" / "1.csv", *tables.SCORE_COLUMNS)
    empty = tables.read(sweep / "scores" / score / NAN_RATE / "1.csv", *tables.SCORE_COLUMNS)
    assert empty[["value", "standard_error"]].isna().all(axis=None)
    assert whole["value"].notna().all()
    same = [name for name in tables.SCORE_COLUMNS if name not in ("value", "standard_error", "model", "recipe")]
    pd.testing.assert_frame_equal(empty[same], whole[same])
    if score == "mteb":
        result = sweep / "scores" / score / NAN_RATE / "1" / "Own" / "mean_1_raw.json"
        assert json.loads(result.read_text())["diverged"]["loss"] == "nan"
    else:
        outcomes = pd.read_parquet(sweep / "scores" / score / NAN_RATE / "1.parquet")
        assert list(outcomes.columns) == tables.OUTCOME_COLUMNS
        assert outcomes.empty


def test_seeds_that_diverged_are_counted_and_no_part_of_a_mean(sweep, tmp_path):
    table = collected(sweep, tmp_path / "table.csv")
    words = f"--table {tmp_path}/table.csv {MEASURE} --output {tmp_path}/summary.csv"
    words += f" --markdown {tmp_path}/summary.md --page {tmp_path}/summary.html"
    summarise_scores.main(words.split())
    summary = tables.last_layers(tables.read(tmp_path / "summary.csv"))
    found = summary[summary["pooling"] == "mean"].set_index("label")
    assert found["diverged"].tolist() == [0, 1, 2]
    assert found["n_seeds"].tolist() == [2, 1, 0]
    half = table[(table["x"] == 1e-2) & (table["layer"] == 2) & (table["pooling"] == "mean")]["value"].dropna()
    assert found["mean"].iloc[1] == half.item()
    assert np.isnan(found["mean"].iloc[2])
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in (tmp_path / "summary.md").open()]
    assert lines[0][-2:] == ["seeds", "diverged"]
    assert [line[-4:] for line in lines[2:] if "mean" in line][2] == ["–", "–", "0", "2"]


def test_a_summary_without_divergence_has_no_column_for_it(sweep, tmp_path):
    table = collected(sweep, tmp_path / "table.csv")
    assert "diverged" not in summarise_scores.for_print(summarise_scores.summarise(table[table["x"] == 1e-3]), NUMBERS)


def test_outside_a_sweep_a_missing_score_is_refused(sweep, tmp_path):
    """A run that a sweep wanted first, and then something else."""
    files = [f"{sweep}/scores/knn/1e-2/{seed}.csv" for seed in SEEDS]
    with pytest.raises(InputError) as error:
        collect_scores.main(["--entry", "Best", "Best", "", "", *files, "--output", str(tmp_path / "table.csv")])
    run = "models/tuned/news/tiny/crops_learning_rate-1e-2/seed-2"
    assert str(error.value).startswith(f"'Best': no knn on corpus at step final, the run {run} diverged")
    assert not (tmp_path / "table.csv").exists()


def drawn(monkeypatch, script, words):
    """The figure that a script draws."""
    found = []
    save = figures.save
    monkeypatch.setattr(figures, "save", lambda figure, paths: (found.append(figure), save(figure, paths)))
    script.main(words)
    return found[0]


def test_a_sweep_is_drawn_with_a_gap_and_a_mark(sweep, tmp_path, monkeypatch):
    table = collected(sweep, tmp_path / "table.csv")
    table = table[table["pooling"] == "mean"]
    # A fourth rate, beyond the gap, which no line may cross.
    beyond = table[table["x"] == 1e-3].assign(x=1e33, label="Crops, learning_rate 1e33")
    pd.concat([table, beyond]).to_csv(tmp_path / "with_gap.csv", index=False)
    roles = ("temperature", "sentences", "masking", "learning-rate")
    words = [word for role in roles for word in (f"--{role}", f"{tmp_path}/with_gap.csv")]
    figure = drawn(monkeypatch, draw_hyperparameters, [*words, "--output", str(tmp_path / "figure.png")])
    axis = figure.axes[3]
    lines = {line.get_label(): line for line in axis.lines}
    x, y = lines["Crops"].get_data()
    assert x.tolist() == [1e-3, 1e-2, 1e30, 1e33]
    assert np.isnan(y).tolist() == [False, False, True, False]
    assert lines["diverged"].get_xdata().tolist() == [1e30]
    assert lines["some diverged"].get_xdata().tolist() == [1e-2]
    assert not any(line.get_marker() == "x" for line in axis.lines)
    assert {"diverged", "some diverged"} <= {entry.get_text() for entry in axis.get_legend().get_texts()}
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_tables_for_print_say_which_seeds_diverged(sweep, tmp_path):
    collected(sweep, tmp_path / "table.csv")
    words = f"--table {tmp_path}/table.csv {MEASURE} --rows label --columns corpus"
    lay_out_scores.main(f"{words} --output {tmp_path}/t.csv {tmp_path}/t.tex {tmp_path}/t.html".split())
    plain, some, every = pd.read_csv(tmp_path / "t.csv")["corpus"]
    assert " ± " in plain
    assert some.endswith(", 1 of 2 seeds")
    assert every == "diverged"


def test_a_mean_over_corpora_or_tasks_needs_all_of_them(sweep, tmp_path):
    """Also where no other model has the number that one lacks."""
    table = collected(sweep, tmp_path / "table.csv")
    table = pd.concat([table, table.assign(corpus="other", value=0.5)])
    table.to_csv(tmp_path / "table.csv", index=False)
    for label in RATES[1:]:
        table[table["x"] == float(label)].to_csv(tmp_path / "one.csv", index=False)
        words = f"--table {tmp_path}/one.csv {MEASURE} --rows label --columns corpus --means"
        lay_out_scores.main(f"{words} --output {tmp_path}/t.csv {tmp_path}/t.tex {tmp_path}/t.html".split())
        shown = pd.read_csv(tmp_path / "t.csv").columns
        expected = [] if label == NAN_RATE else ["mean of two corpora"]
        assert [name for name in shown if "mean" in name] == expected


def test_differences_leave_out_what_diverged_and_say_so(sweep, tmp_path, caplog):
    def words(*rates):
        files = {rate: [f"{sweep}/scores/knn/{rate}/{seed}.csv" for seed in SEEDS] for rate in rates}
        entries = [word for rate in rates for word in ("--entry", f"Rate {rate}", "Rate", rate, "", *files[rate])]
        return [
            *entries,
            *MEASURE.split(),
            "--against",
            "Rate 1e-3",
            "--output",
            f"{tmp_path}/d.csv",
            f"{tmp_path}/d.tex",
            f"{tmp_path}/d.html",
        ]

    with caplog.at_level(logging.WARNING, logger="selfembed"):
        lay_out_differences.main(words(*RATES))
    table = pd.read_csv(tmp_path / "d.csv")
    assert table[["label", "n_seeds"]].to_numpy().tolist() == [["Rate 1e-2", 1]]
    assert sum("omitted because the runs diverged" in message for message in caplog.messages) == 2
    with pytest.raises(InputError, match=r"nothing to compare with 'Rate 1e-3' .*diverged"):
        lay_out_differences.main(words("1e-3", NAN_RATE))


def test_a_published_number_of_a_run_that_diverged_is_not_run(sweep, tmp_path):
    table = collected(sweep, tmp_path / "sweep.csv")
    published = tables.last_layers(table)[lambda rows: (rows["seed"] == 1) & (rows["pooling"] == "mean")]
    published.assign(seed=None, value=0.4, experiment="sweep", source="nb").to_csv(tmp_path / "paper.csv", index=False)
    words = f"--published {tmp_path}/paper.csv --tables {tmp_path}/sweep.csv --output {tmp_path}/c.csv"
    compare_with_paper.main(f"{words} --markdown {tmp_path}/c.md --page {tmp_path}/c.html".split())
    compared = pd.read_csv(tmp_path / "c.csv").set_index("x")
    assert compared["verdict"].eq("not run").tolist() == [False, False, True]
    assert compared["n_seeds"].tolist() == [2, 1, 0]


@pytest.mark.parametrize("rates", [RATES, RATES[2:]], ids=["some", "all"])
def test_losses_of_runs_that_diverged_are_drawn_to_their_end(sweep, tmp_path, monkeypatch, rates):
    words = []
    for rate in rates:
        folders = [f"{sweep}/models/crops_learning_rate-{rate}/seed-{seed}" for seed in SEEDS]
        words += ["--entry", f"Rate {rate}", *folders]
    collect_losses.main([*words, "--output", str(tmp_path / "losses.csv")])
    losses = tables.read(tmp_path / "losses.csv")
    assert losses["loss"].isna().sum() == sum(has_diverged(rate, seed) for rate in rates for seed in SEEDS)
    losses.loc[losses["loss"].isna(), "loss"] = [np.inf, np.nan, np.nan][: losses["loss"].isna().sum()]
    losses.to_csv(tmp_path / "infinite.csv", index=False)
    words = ["--table", f"{tmp_path}/infinite.csv", "--output", f"{tmp_path}/losses.png"]
    (axis,) = drawn(monkeypatch, draw_losses, words).axes
    ends = {x for line in axis.lines if line.get_marker() == "v" for x in line.get_xdata()}
    assert ends == set(losses.loc[~np.isfinite(losses["loss"]), "step"])
    assert np.isfinite(axis.get_ylim()).all()


@pytest.mark.slow
def test_a_map_of_a_run_that_diverged_is_empty_and_stops_no_figure(study, sweep, tmp_path, monkeypatch):
    maps, clusters = {}, {}
    for rate in ("1e-3", NAN_RATE):
        maps[rate], clusters[rate] = (
            tmp_path / f"{rate}.parquet",
            (tmp_path / f"{rate}_c.parquet", tmp_path / f"{rate}.csv"),
        )
        given = f"--embeddings {sweep}/embeddings/corpus/{rate}/1 --corpus {study}/corpus.parquet"
        compute_tsne.main(f"{given} --perplexity 3 --output {maps[rate]}".split())
        name_clusters.main(f"{given} --output {clusters[rate][0]} --names {clusters[rate][1]}".split())
        find_neighbors.main(f"{given} --output {tmp_path}/{rate}_n.parquet".split())
    empty = pd.read_parquet(maps[NAN_RATE])
    assert list(empty["id"]) == [f"t{n}" for n in range(40)]
    assert empty[["x", "y"]].isna().all(axis=None)
    good, bad = (pd.read_parquet(path).assign(corpus="corpus", label=None) for path in maps.values())
    everywhere = pd.concat([good.assign(series="Good"), bad.assign(series="Bad")])
    pd.concat([everywhere, good.assign(series="Good", corpus="other")]).to_parquet(tmp_path / "maps.parquet")
    words = f"--maps {tmp_path}/maps.parquet --entry corpus {clusters[NAN_RATE][0]} {clusters[NAN_RATE][1]}"
    axes = drawn(monkeypatch, draw_maps, f"{words} --no-score --output {tmp_path}/maps.png".split()).axes
    assert ["diverged" in [text.get_text() for text in axis.texts] for axis in axes] == [False, False, True, False]
    words = f"--maps {maps['1e-3']} {maps[NAN_RATE]} --models Good Bad --corpus {study}/corpus.parquet"
    words += f" --clusters {clusters[NAN_RATE][0]} {clusters[NAN_RATE][1]} --title Map --output {tmp_path}/map.html"
    words += f" --neighbors {tmp_path}/1e-3_n.parquet {tmp_path}/{NAN_RATE}_n.parquet"
    draw_interactive_map.main(words.split())
    assert '"models":["Good"]' in (tmp_path / "map.html").read_text()


def test_a_run_that_diverged_is_no_adapted_model(sweep):
    folder = sweep / "models" / f"crops_learning_rate-{NAN_RATE}" / "seed-1"
    assert divergence.of_model(folder / "final")
    with pytest.raises(InputError, match="final: the run diverged and has no model"):
        account.check_model(folder / "final")
