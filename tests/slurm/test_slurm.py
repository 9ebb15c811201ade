"""The workflow on a real SLURM: every rule that it runs, a cancelled job, a node that is rebooted under a job."""

import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
import rule_files
import slurm_cluster
from slurm_cluster import said, wait_until

from workflow_runs import ROOT, copy_of_checkout, environment

PROFILE = "profiles/slurm/config.yaml"
SMOKE = ("--configfile", "config/smoke.yaml")
# The shortest times between looks at the jobs, which are short here.
ARGUMENTS = ("--workflow-profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "2")
RUN = "results/smoke/models/tuned/python_docs/tiny_bert/dropout/seed-43"
# Results of the smoke config that need every rule that is submitted, groups of several steps, and rules that are not.
# Exports would add all candidates of the report; tests/workflow/test_plans.py checks that their groups are possible.
PARTS = (
    "figures/smoke/table_differences.csv",
    "results/smoke/corpora/texts_in_folders.parquet",
    "results/smoke/descriptions/packages.csv",
    "results/smoke/maps/packages/base/tiny_bert/seed-42/0/mean_last.parquet",
    "results/smoke/neighbors/packages/base/tiny_bert/seed-42/0/mean_last.parquet",
    "results/smoke/clusters/packages/tuned/python_docs/tiny_bert/crops/seed-42/final/mean_last.parquet",
    "results/smoke/scores/knn/python_docs/base/minilm_embedding_module/0/mean_last.csv",
    "results/smoke/scores/linear/python_docs/base/tiny_bert/seed-42/0/mean_last.csv",
    "results/smoke/scores/title_pairs/titles_of_docs/base/minilm_words/0/own_last.csv",
    "results/smoke/scores/mteb/base/tiny_bert/seed-42/0/32.csv",
    "results/smoke/tables/mteb_types_summary.csv",
)
WITH_ENCODER = ("embeddings", "embed_part", "fine_tune", "tasks")
GROUPS = ("corpora", "models", "pairs", "scores", "embeddings", "tasks")
# What a user writes into the profile: an account, a partition, and that small encoders share jobs.
FILLED_IN = {
    "\"'ACCOUNT'\"": f"\"'{slurm_cluster.ACCOUNT}'\"",
    "\"'PARTITION'\"": f"\"'{slurm_cluster.PARTITION}'\"",
    "embeddings: 1\n": "embeddings: 3\n",
    "tasks: 1\n": "tasks: 3\n",
}


def fill_in(folder):
    """Write into the profile what it asks its user for."""
    path = folder / PROFILE
    text = path.read_text(encoding="utf-8")
    for asked, written in FILLED_IN.items():
        assert text.count(asked) == 1, asked
        text = text.replace(asked, written)
    path.write_text(text, encoding="utf-8")


def started(folder, *arguments):
    """A snakemake process that hands its jobs to SLURM, with its log beside the checkout; no GPU is shown to it."""
    command = [sys.executable, "-m", "snakemake", *arguments, *ARGUMENTS, *SMOKE]
    with open(folder / "snakemake.log", "w") as output:
        variables = environment() | {"CUDA_VISIBLE_DEVICES": ""}
        return subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=subprocess.STDOUT)


def stop(process):
    """End snakemake as Ctrl-C does, so that it cancels its jobs; by force if it does not."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def finish(process, folder, seconds):
    """Wait for snakemake, which is ended if it takes too long, and return what it said."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        stop(process)
        code = f"not ended after {seconds} s"
    text = (folder / "snakemake.log").read_text()
    assert code == 0, f"{code}\n{text[-6000:]}"
    return text


def of_job(number, fields, *more):
    """What the accounting knows of a job, or of several, with commas between their numbers."""
    return said("sacct", "--allocations", "--noheader", "--parsable2", f"--format={fields}", f"--jobs={number}", *more)


def rule_or_group(comment):
    """Which rule or group a job is of, from the comment that the plugin gives it."""
    group = re.match(rf"rule_({'|'.join(GROUPS)})_", comment)
    return group[1] if group else re.match(r"rule_(\w+?)(_wildcards_|$)", comment)[1]


def local_rules():
    """Names of the rules that run where snakemake runs."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk")]
    blocks = [block for text in texts for block in re.findall(r"^localrules:\n((?: +\w+,\n)+)", text, re.MULTILINE)]
    assert len(blocks) > 5
    return {name for block in blocks for name in re.findall(r"\w+", block)}


def megabytes(memory):
    """SLURM's `1004M` or `4G` as a number."""
    return float(memory[:-1]) * {"M": 1, "G": 1024}[memory[-1]]


@contextmanager
def training(finished, folder):
    """Snakemake underway on SLURM to train the one run that a copy of a finished checkout lacks, the job begun.

    Yields the process and the job's number.
    """
    shutil.copytree(finished, folder)
    fill_in(folder)
    shutil.rmtree(folder / RUN)
    log = folder / "logs/smoke/fine_tune/python_docs/tiny_bert/dropout/seed-43.log"
    log.unlink()
    process = started(folder, RUN)
    try:
        wait_until(lambda: log.exists() or process.poll() is not None, "the fine-tuning", 120)
        assert process.poll() is None, (folder / "snakemake.log").read_text()
        (number,) = re.findall(r"SLURM jobid (\d+)", (folder / "snakemake.log").read_text())
        yield process, number
    finally:
        stop(process)


@pytest.fixture(scope="module")
def parts_run(cluster, finished, tmp_path_factory):
    """A copy of the checkout and snakemake underway in it to make parts of the smoke config through SLURM.

    The run without SLURM comes first, not beside it.
    """
    folder = copy_of_checkout(tmp_path_factory.mktemp("parts_run") / "checkout")
    fill_in(folder)
    # With device auto, jobs with an encoder ask for a GPU; there is none to be seen, so that they compute as ever.
    process = started(folder, *PARTS, "--config", "device=auto")
    try:
        yield folder, process
    finally:
        stop(process)


@pytest.fixture(scope="module")
def cancelled(parts_run, finished, tmp_path_factory):
    """A copy of a finished checkout and snakemake that trains a run in it, whose job was cancelled.

    It tries again beside the other run: both wait more than they compute.
    """
    folder = tmp_path_factory.mktemp("cancelled") / "checkout"
    with training(finished, folder) as (process, number):
        subprocess.run(["scancel", number], check=True)
        yield folder, process


@pytest.fixture(scope="module")
def through_slurm(parts_run, cancelled):
    """The run after its end: its folder, and the numbers of its jobs."""
    folder, process = parts_run
    return folder, re.findall(r"SLURM jobid (\d+)", finish(process, folder, 1200))


def made(folder, *names):
    """Files that a run has made, by their names."""
    tops = (folder / top for top in ("results", "figures"))
    return [path.relative_to(folder) for top in tops for name in names for path in sorted(top.rglob(name))]


def test_every_rule_that_is_submitted_has_run(through_slurm):
    folder, _ = through_slurm
    run = {path.stem for path in (folder / "logs/smoke").iterdir()}
    exports = {"export_model", "embed_export", "compare_exports"}
    assert run - local_rules() == set(rule_files.directives()) - local_rules() - exports
    assert run & local_rules() == {"collect_scores", "summarise_scores"}


def test_results_are_the_same_bytes_as_without_slurm(through_slurm, finished):
    folder, _ = through_slurm
    results = made(folder, "*.csv", "*.parquet", "*.npy", "*.safetensors")
    assert len(results) > 40
    assert {path.suffix for path in results} == {".csv", ".parquet", ".npy", ".safetensors"}
    differing = [str(path) for path in results if (folder / path).read_bytes() != (finished / path).read_bytes()]
    assert differing == []


def test_every_job_went_well_and_asked_for_a_gpu_only_with_an_encoder(through_slurm):
    _, numbers = through_slurm
    asked = {}
    for line in of_job(",".join(numbers), "State,Account,ReqTRES,Comment").splitlines():
        state, account, resources, comment = line.split("|")
        assert (state, account) == ("COMPLETED", slurm_cluster.ACCOUNT), line
        asked.setdefault(rule_or_group(comment), set()).add("gres/gpu=1" in resources)
        assert resources.count("gres/gpu") == resources.count("gres/gpu=1"), line
    assert len(numbers) == len(set(numbers))
    assert {*WITH_ENCODER, *GROUPS} <= asked.keys()
    assert local_rules().isdisjoint(asked)
    # A group of embeddings may be of bags of words and merged parts alone.
    assert asked.pop("embeddings") in ({True}, {True, False})
    for rule, gpus in asked.items():
        assert gpus == {rule in WITH_ENCODER}, rule


def test_a_group_asks_for_its_largest_step_not_for_their_sum(through_slurm):
    folder, numbers = through_slurm
    lines = of_job(",".join(numbers), "ReqCPUS,ReqMem,TimelimitRaw,Comment").splitlines()
    groups = [words for words in (line.split("|") for line in lines) if rule_or_group(words[-1]) in GROUPS]
    assert {rule_or_group(comment) for *_, comment in groups} == set(GROUPS)
    for processors, memory, _, comment in groups:
        assert processors == "1", comment
        assert megabytes(memory) < (6200 if rule_or_group(comment) == "tasks" else 4800), comment
    (minutes,) = (int(minutes) for _, _, minutes, comment in groups if rule_or_group(comment) == "scores")
    scores = [path for path in made(folder, "*.parquet") if path.parts[2] == "scores"]
    assert len(scores) == 6
    assert minutes >= 20 * len(scores)


def is_trained_as_before(folder, finished):
    """Whether the run is back, with the bytes that it had."""
    names = ("final/model.safetensors", "loss.csv", "run.json")
    return all((folder / RUN / name).read_bytes() == (finished / RUN / name).read_bytes() for name in names)


def test_a_cancelled_job_is_tried_again_with_more(cancelled, through_slurm, finished):
    folder, process = cancelled
    text = finish(process, folder, 240)
    first, second = re.findall(r"SLURM jobid (\d+)", text)
    assert f"SLURM-job '{first}' failed, SLURM status is: 'CANCELLED'" in text
    assert is_trained_as_before(folder, finished)
    wait_until(lambda: of_job(second, "State") == "COMPLETED", "the accounting of the second job", 30)
    assert of_job(first, "State").startswith("CANCELLED")
    before, after = (int(of_job(job, "TimelimitRaw")) for job in (first, second))
    assert after == 2 * before


def test_a_job_on_a_node_that_is_rebooted_is_started_again(cluster, finished, tmp_path):
    folder = tmp_path / "checkout"
    with training(finished, folder) as (process, number):
        cluster.reboot()
        wait_until(
            lambda: said("squeue", "--noheader", "--format=%T", f"--jobs={number}") == "PENDING", "the job again", 120
        )
        wait_until(cluster.is_idle, "the node", 60)
        # SLURM waits two minutes before it starts such a job.
        subprocess.run(["scontrol", "update", f"jobid={number}", "StartTime=now"], check=True)
        finish(process, folder, 240)
    assert is_trained_as_before(folder, finished)
    # Twice in the accounting, under one number: SLURM itself started it again.
    states = of_job(number, "State", "--duplicates").split()
    assert len(states) == 2
    assert "NODE_FAIL" in states
