"""A plan of hundreds of hours on a processor is not begun by mistake; and `snakemake doctor`."""

import re
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import yaml
from settings_examples import changed

from selfembed.costs.sizes import Corpus, Sizes
from selfembed.costs.work import Count
from selfembed.execution import long_plans
from selfembed.study.expansion import expand
from selfembed.study.validation import load
from workflow_runs import cold_snakemake, environment, kill_all, snakemake

REVISION = "a" * 40
NEWS = {
    # A port on which nobody listens.
    "source": {
        "type": "url",
        "url": "http://127.0.0.1:1/news.csv",
        "sha256": "0" * 64,
        "format": "csv",
        "label": "topic",
    },
    "expect": {"rows": 2_000_000, "labelled": 2_000_000, "classes": 9},
}
CONFIG = {
    "folder": "long",
    "corpora": {"news": NEWS},
    "encoders": {
        "tiny": {"type": "random", "tokenizer": {"train_on": "news"}},
        "tfidf": {"type": "tfidf"},
    },
    "experiments": {
        "long": {"corpora": ["news"], "models": [{"encoder": "tiny"}]},
        "short": {"corpora": ["news"], "models": [{"encoder": "tfidf"}]},
    },
    "figures": {
        "long_figure": {"draw": "comparison", "experiment": "long"},
        "short_figure": {"draw": "comparison", "experiment": "short"},
    },
}
REFUSED = "config error: device: these jobs would take about "


@pytest.fixture(scope="module")
def here(checkout, tmp_path_factory):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    folder = tmp_path_factory.mktemp("long_plans") / "checkout"
    shutil.copytree(checkout, folder)
    (folder / "long.yaml").write_text(yaml.safe_dump(CONFIG))
    return folder


def run(folder, *words):
    shutil.rmtree(folder / "logs", ignore_errors=True)
    return cold_snakemake(folder, *words, "--configfile", "long.yaml", "--cores", "2")


def has_begun(folder):
    return (folder / "logs" / "long" / "download_file").exists()


def test_a_long_plan_on_a_processor_is_refused_before_any_job(here):
    done = run(here, "all")
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith(REFUSED)]
    assert len(lines) == 1 and "`device: cpu` in the config if this is meant" in lines[0], done.stdout
    assert not has_begun(here)
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("words", [("all", "--config", "device=cpu"), ("short_figure",)], ids=["meant", "short"])
def test_a_plan_that_is_meant_or_short_is_begun(here, words):
    """It is ended then: a download waits for a server that does not answer."""
    shutil.rmtree(here / "logs", ignore_errors=True)
    command = [sys.executable, "-m", "snakemake", *words, "--configfile", "long.yaml", "--cores", "2"]
    with open(here / "begun.log", "w") as output:
        running = subprocess.Popen(
            command, cwd=here, env=environment(), stdout=output, stderr=output, start_new_session=True
        )
        deadline = time.monotonic() + 120
        while not has_begun(here) and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        begun = has_begun(here)
        kill_all(running)
    assert begun, (here / "begun.log").read_text()
    assert snakemake(here, "--unlock", "--configfile", "long.yaml").returncode == 0


def test_a_dry_run_is_not_refused(here):
    done = snakemake(here, "--dry-run", "all", "--configfile", "long.yaml")
    assert done.returncode == 0, done.stdout


def job(rule, parts=(), **wildcards):
    inputs = SimpleNamespace(parts=parts)
    return SimpleNamespace(rule=SimpleNamespace(name=rule), wildcards=SimpleNamespace(**wildcards), input=inputs)


def test_only_jobs_that_will_run_are_counted():
    """Of a study whose run and scores of MTEB are finished, the embedding."""
    changes = {
        "seeds": [1],
        "figures": {},
        "tasks": {"ArguAna": {"type": "registry", "block": "retrieval"}},
        "experiments.main": {
            "corpora": ["news"],
            "tasks": ["ArguAna"],
            "models": [{"encoder": "tiny", "recipe": "crops", "train_on": "news"}],
        },
    }
    settings = load(changed(changes))
    known = Sizes({"news": Corpus(1000, 800, 4, 51.3, 500)}, {}, {2: (0.5, 20)})
    count = Count(settings, expand(settings), known)
    model = "tuned/news/tiny/crops/seed-1"
    run = job("fine_tune", corpus="news", encoder="tiny", recipe="crops", seed="1")
    embed = job("embed", corpus="news", model=model, step="final", selection="mean_last")
    score = job("score_mteb", model=model, step="final", max_length="384", task="ArguAna")
    kinds = {
        name: sorted(found.kind for found in long_plans.work_of(jobs, count))
        for name, jobs in {"embed": [embed], "run": [run], "score": [score], "all": [run, embed, score]}.items()
    }
    assert kinds == {
        "embed": ["embedding"],
        "run": ["fine-tuning"],
        "score": ["MTEB", "evaluation by mteb"],
        "all": ["MTEB", "embedding", "evaluation by mteb", "fine-tuning"],
    }


def test_a_plan_is_not_refused_on_a_cluster_or_with_a_gpu(monkeypatch):
    """The login node that plans has no GPU; torch is asked only about long plans."""
    expect = {"corpora.news.expect": {"rows": 2_000_000}}
    settings = load(changed({"figures": {}, "experiments.main.models": [{"encoder": "mpnet"}], **expect}))
    embed = job("embed", corpus="news", model="base/mpnet", step="0", selection="mean_last")

    def refuse(local=True, jobs=(embed,), gpu=False):
        monkeypatch.setattr(long_plans, "torch_finds_gpu", lambda: gpu)
        workflow = SimpleNamespace(
            local_exec=local,
            dag=SimpleNamespace(needrun_jobs=lambda: jobs),
            resource_settings=SimpleNamespace(cores=2),
        )
        long_plans.refuse(workflow, settings, expand(settings))

    with pytest.raises(SystemExit, match=REFUSED):
        refuse()
    refuse(local=False)
    refuse(gpu=True)
    refuse(jobs=())
    merging = job("embed", parts=["1-of-1"], **vars(embed.wildcards))
    refuse(jobs=(merging,))
    with pytest.raises(SystemExit, match=REFUSED):
        refuse(jobs=(merging, job("embed_part", part="1-of-1", **vars(embed.wildcards))))


def test_snakemake_doctor_prints_what_selfembed_doctor_prints(here, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    shutil.rmtree(here / "logs", ignore_errors=True)
    done = cold_snakemake(here, "doctor", "--configfile", "long.yaml", "--cores", "1", "--config", "device=cpu")
    assert done.returncode == 1
    assert re.search("^ok +GPU +not used, because the config sets device: cpu$", done.stdout, re.M)
    assert re.search("^error +corpora.news +http://127.0.0.1:1/news.csv: could not be reached", done.stdout, re.M)
    assert "\nerrors: 1, warnings: " in done.stdout
    assert not has_begun(here)
