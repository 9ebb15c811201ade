"""What jobs ask for grows with what they read, and is written down."""

import re
import shutil

import pytest
import resources

from workflow_runs import ROOT, snakemake

# The corpus of bench/large.py as a file, and MB that its steps used at most (bench/README.md).
CORPUS_MB = 849
USED = {"describe_corpus": 815, "make_pairs": 12_104, "embed": 6_077}


@pytest.fixture(scope="module")
def asked(checkout, tmp_path_factory):
    """What the jobs of the smoke config ask for when its corpus is as large as the paper's largest: rule to words."""
    folder = shutil.copytree(checkout, tmp_path_factory.mktemp("large") / "checkout")
    corpus = folder / "results/smoke/corpora/python_docs.parquet"
    corpus.parent.mkdir(parents=True)
    with open(corpus, "wb") as file:
        file.truncate(CORPUS_MB * 10**6)
    done = snakemake(folder, "--dry-run", "--configfile", "config/smoke.yaml")
    assert done.returncode == 0, done.stdout
    blocks = re.findall(r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    resources: (.*)$", done.stdout, re.MULTILINE)
    return {rule: words for rule, words in blocks if "<TBD>" not in words.replace("tmpdir=<TBD>", "")}


@pytest.mark.parametrize("rule", USED)
def test_memory_suffices_for_the_largest_corpus(asked, rule):
    (memory,) = re.findall(r"mem_mb=(\d+)", asked[rule])
    assert USED[rule] < int(memory) < 4 * USED[rule] + 20_000


def test_minutes_follow_the_corpus(asked):
    (minutes,) = re.findall(r"runtime=(\d+)", asked["make_pairs"])
    assert int(minutes) == 10 + 85


def test_steps_that_compute_on_the_device_ask_for_a_gpu_and_no_others(checkout):
    words = ("--printshellcmds", "--configfile", "config/smoke.yaml", "--config", "device=auto")
    done = snakemake(checkout, "--dry-run", *words)
    assert done.returncode == 0, done.stdout
    steps = re.findall(
        r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    resources: (.*)\nShell command: (.*)$", done.stdout, re.MULTILINE
    )
    for rule, needs, command in steps:
        assert ("gpu=1" in needs) == ("--device auto" in command), rule
    embedding = ["--device auto" in command for rule, _, command in steps if rule == "embed"]
    assert {True, False} == set(embedding)  # encoders and bags of words


def test_a_run_on_two_devices_asks_for_twice_as_much(checkout):
    for devices in (1, 2):
        words = (
            "--cores",
            "4",
            "--resources",
            "gpu=2",
            "--config",
            "device=cuda",
            f"devices_per_run={devices}",
            "threads={fine_tune: 2}",
        )
        done = snakemake(checkout, "--dry-run", "--printshellcmds", "--configfile", "config/smoke.yaml", *words)
        assert done.returncode == 0, done.stdout
        block = re.search(r"^rule fine_tune:\n(?:    .*\n)*\n?.*fine_tune.py.*$", done.stdout, re.MULTILINE)[0]
        assert f"threads: {2 * devices}\n" in block
        assert f"gpu={devices}" in block
        assert f"--devices {devices} --threads 2 " in block


def test_the_table_of_the_cluster_page_is_of_the_rules_as_they_are():
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    rows = {
        cells[0].strip("`"): cells[1:] for cells in re.findall(r"^\| (`\w+`) " + r"\| (.*?) " * 7 + r"\|$", page, re.M)
    }
    assert {rule: list(cells[:4]) for rule, cells in rows.items()} == resources.asked()
    for rule, (*_, jobs, megabytes, seconds) in rows.items():
        expected = r"–" if rule.startswith("download_") else r"[\d,]+"
        assert all(re.fullmatch(expected, cell) for cell in (jobs, megabytes, seconds)), rule
