"""Jobs are forks of one process: they give what new processes give, and end when they should."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import venv
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from faults import differing, leftovers
from small_models import small_bert, text
from tiny_study import fingerprints

from selfembed.jobs.records import write_json, write_table
from selfembed.models import encoders
from selfembed.texts import corpora
from warm.run import THREADS, VARIABLE
from warm.server import LIBRARIES
from workflow_runs import ROOT, environment

RUN = str(ROOT / "scripts" / "warm" / "run.py")
WITH_ENCODER = ("build_random_model", "embed", "fine_tune", "score_mteb")
LAST_LINE = re.compile(r"^\d\d:\d\d:\d\d job: [\d.]+ s, [\d.]+ CPU s, \d+ MB$")


def until(condition):
    """Wait until something holds; a test that waits in vain is ended by its caller."""
    deadline = time.monotonic() + 900
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def is_alive(process):
    """Whether a process runs; what has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Snakemake:
    """A process in the place of Snakemake, and its jobs."""

    def __init__(self):
        self.process = subprocess.Popen(["sleep", "3600"])

    def start(self, *command, threads=1, word="a", python=sys.executable, **how):
        """Start a job as a rule does."""
        name = {VARIABLE: f"{self.process.pid}-{word}"} if word else {}
        variables = environment() | {"HF_HUB_OFFLINE": "1"} | name | dict.fromkeys(THREADS, str(threads))
        words = [python, RUN, *map(str, command)]
        return subprocess.Popen(words, env=variables, text=True, **{"stdout": -1, "stderr": -1} | how)

    def run(self, *command, stdin="", **how):
        """Run a job; return its exit status, standard output and standard error."""
        job = self.start(*command, stdin=-1, **how)
        out, err = job.communicate(stdin, timeout=900)
        return job.returncode, out, err

    def end(self):
        """End at once."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def warm():
    """A Snakemake whose warm process is there for all tests of this file."""
    running = Snakemake()
    yield running
    running.end()


@pytest.fixture
def script(tmp_path):
    """A function that writes a script and returns its path."""

    def write(source, name="script"):
        path = tmp_path / "scripts" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
        return path

    return write


# The number of the process that this job is a grandchild of.
SERVER = """
import os, sys
server = int(open(f"/proc/{os.getppid()}/stat").read().rpartition(")")[2].split()[1])
"""


@pytest.mark.long
def test_a_study_has_the_same_bytes_without_the_warm_process(tiny, kept):
    """A run, embeddings, a singular value decomposition, a clustering task, a map, figures, and the seals of all.

    The other study removed its run and its embeddings, whose seals have their checksums.
    """
    results = fingerprints(kept)
    assert sum(name.endswith(".seal") for name in results) > 30
    assert [name for name in differing(kept, tiny) if name in results] == leftovers(kept) == []
    for study, are_forks in ((tiny, True), (kept, False)):
        for rule in WITH_ENCODER:
            logs = [path.read_text().splitlines() for path in (study / "logs/tiny" / rule).rglob("*.log")]
            assert logs
            assert all(bool(lines and LAST_LINE.match(lines[-1])) == are_forks for lines in logs), rule
            assert not any("no warm process" in line for lines in logs for line in lines)


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """A function that gives a fine-tuning and an embedding as commands without `python`, by name."""
    folder = tmp_path_factory.mktemp("steps")
    encoders.save(small_bert(folder / "tokenizer"), folder / "base" / "0", "")
    rows = [(0, f"t{n}", text(9, n), text(8, n + 7)) for n in range(160)]
    write_table(pd.DataFrame(rows, columns=["epoch", "id", "anchor", "positive"]), folder / "pairs.parquet")
    write_json({"settings": {}}, folder / "pairs.json")
    texts = pd.DataFrame({"id": map(str, range(99)), "text": [text(4 + n % 9, n) for n in range(99)]})
    write_table(texts.reindex(columns=corpora.COLUMNS), folder / "corpus.parquet")

    def command(name, output, threads):
        words = {
            "fine_tune": f"--base {folder}/base --pairs {folder}/pairs.parquet --pairs-settings {folder}/pairs.json"
            " --name run --learning-rate 1e-3 --batch-size 4 --max-length 16 --mask-fraction 0.3 --projection 8 4"
            " --keep 10 --seed 3 --checkpoint-minutes 10",
            "embed": f"--model {folder}/base/0 --corpus {folder}/corpus.parquet --layers all --poolings mean cls",
        }[name]
        how = f"--device cpu --threads {threads} --output {output}"
        return [ROOT / "scripts" / f"{name}.py", *words.split(), *how.split()]

    return command


@pytest.fixture(scope="module")
def plain(warm, steps, tmp_path_factory):
    """A function that gives the files that a step writes in a new process."""

    @cache
    def written(name, threads):
        folder = tmp_path_factory.mktemp("plain")
        code, _, log = warm.run(*steps(name, folder / "output", threads), threads=threads, word=None)
        assert code == 0, log
        assert not LAST_LINE.match(log.splitlines()[-1])
        return contents(folder / "output")

    return written


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.long
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["fine_tune", "embed"])
def test_a_fork_computes_the_same_bytes(warm, steps, plain, tmp_path, name, threads):
    code, _, log = warm.run(*steps(name, tmp_path / "output", threads), threads=threads)
    assert code == 0, log
    assert LAST_LINE.match(log.splitlines()[-1])
    assert contents(tmp_path / "output") == plain(name, threads)


def saved_step(unfinished):
    """The newest whole checkpoint of a run."""
    return max((int(path.parent.name.split("-")[1]) for path in unfinished.glob("*/checksums.json")), default=0)


@pytest.mark.kill
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_fork_that_is_asked_to_end_saves_its_state(warm, steps, plain, tmp_path, number):
    """As a scheduler or Ctrl-C asks it; the next job goes on with the same bytes."""
    output, unfinished = tmp_path / "output", tmp_path / ".output.unfinished"
    often = [*steps("fine_tune", output, 1), "--checkpoint-minutes", "0.001"]
    job = warm.start(*often)
    until(lambda: saved_step(unfinished) >= 10 or job.poll() is not None)
    job.send_signal(number)
    _, log = job.communicate(timeout=900)
    assert job.returncode == 1, log
    (last,) = map(int, re.findall(r"terminated after step (\d+); run the same command again", log))
    assert saved_step(unfinished) == last
    code, _, log = warm.run(*often)
    assert code == 0 and f"resuming after step {last} of 40" in log, log
    assert contents(output) == plain("fine_tune", 1)


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("print('done')", 0, ""),
        ("raise SystemExit(7)", 7, ""),
        ("import sys; sys.exit('error: a line')", 1, "error: a line\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        (
            "import os; os.kill(os.getpid(), 9)",
            137,
            "error: the job was ended by SIGKILL; was the memory sufficient?\n",
        ),
        ("import os; os.kill(os.getpid(), 11)", 139, "ended by SIGSEGV\n"),
    ],
)
def test_a_job_ends_with_the_status_and_the_words_of_its_script(warm, script, source, status, said):
    code, _, log = warm.run(script(source))
    assert code == status
    assert said in log
    assert any(map(LAST_LINE.match, log.splitlines())), log


PROBE = """
import json, os, resource, signal, sys
import huggingface_hub.constants, sklearn, threadpoolctl, torch
pools = {pool["filepath"]: pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
print(json.dumps({
    "words": sys.argv, "folder": os.getcwd(), "environment": dict(os.environ), "path": sys.path, "file": __file__,
    "name": __name__, "standard input": sys.stdin.read(), "umask": os.umask(0o77), "priority": os.getpriority(0, 0),
    "signals": {number: str(signal.getsignal(number)) for number in (1, 2, 13, 15, 17)},
    "limits": resource.getrlimit(resource.RLIMIT_NOFILE), "processors": sorted(os.sched_getaffinity(0)),
    "threads": torch.get_num_threads(), "pools": pools, "offline": huggingface_hub.constants.HF_HUB_OFFLINE,
    "library": [name for name in sys.modules if name.split(".")[0] == "selfembed"],
    "encoding": sys.stdout.encoding, "buffered": sys.stdout.line_buffering,
}))
print("of the script", file=sys.stderr)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_a_script_finds_in_a_fork_what_it_finds_in_a_new_process(warm, script, tmp_path, threads):
    found = []
    for word in ("a", None):
        path = script(PROBE)
        code, out, log = warm.run(path, "a", "b c", "é", threads=threads, word=word, stdin="text", cwd=tmp_path)
        assert code == 0, log
        assert log.startswith("of the script\n")
        found.append(json.loads(out))
    fork, plain = found
    assert fork["environment"].pop(VARIABLE)
    both = plain["pools"].keys() & fork["pools"].keys()
    assert both and plain["library"] == []
    for facts in found:
        facts["pools"] = {file: facts["pools"][file] for file in both}
    assert fork == plain
    assert {fork["threads"], *fork["pools"].values()} == {threads}


def test_a_job_runs_the_code_of_now(warm, script):
    """Also after an edit, of the script or of what lies beside it."""
    for number in (1, 2):
        path = script("import beside\nprint(beside.NUMBER)")
        path.with_name("beside.py").write_text(f"NUMBER = {number}  {'#' * number}")
        assert warm.run(path)[:2] == (0, f"{number}\n")


@pytest.mark.kill
def test_a_job_ends_with_the_process_that_asked_for_it(warm, script):
    """And so do the processes that it has started."""
    source = "import os, subprocess, time\nchild = subprocess.Popen(['sleep', '3600'])\n"
    source += "print(os.getpid(), os.getppid(), child.pid, flush=True)\ntime.sleep(3600)"
    job = warm.start(script(source))
    family = list(map(int, job.stdout.readline().split()))
    assert all(map(is_alive, family))
    job.kill()
    until(lambda: not any(map(is_alive, family)))


@pytest.mark.kill
def test_a_job_ends_with_the_process_that_waits_for_it(warm, script):
    job = warm.start(script("import os, time\nprint(os.getpid(), os.getppid(), flush=True)\ntime.sleep(3600)"))
    fork, watching = map(int, job.stdout.readline().split())
    os.kill(watching, signal.SIGKILL)
    _, log = job.communicate(timeout=900)
    assert job.returncode == 1
    assert log.endswith(
        "the process that watches this job was ended, and the job with it; run the same command again\n"
    )
    until(lambda: not is_alive(fork))


@pytest.mark.kill
def test_the_warm_process_ends_with_snakemake_and_its_jobs_go_on(script, tmp_path):
    source = SERVER + "import pathlib, time\nprint(server, flush=True)\n"
    source += f"while not pathlib.Path({str(tmp_path / 'go')!r}).exists(): time.sleep(0.01)\nprint('done')"
    own = Snakemake()
    job = own.start(script(source))
    server = int(job.stdout.readline())
    os.kill(server, signal.SIGTERM)  # as a scheduler sends it to all processes of a job that is to end
    assert own.run(script(SERVER + "print(server)", "other"))[1] == f"{server}\n"
    own.end()
    until(lambda: not is_alive(server))
    (tmp_path / "go").touch()
    assert job.communicate(timeout=900)[0] == "done\n"
    assert job.returncode == 0


def test_jobs_at_the_same_time_start_one_warm_process_and_each_environment_its_own(warm, script, tmp_path):
    """Environments differ in `sys.prefix`: here, one in a long path with the packages of the other."""
    other = tmp_path / ("other" * 30)
    venv.create(other, symlinks=True)
    (folder,) = (other / "lib").glob("python*/site-packages")
    (folder / "packages.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    pythons = [sys.executable] * 4 + [other / "bin" / "python"] * 2
    path = script(SERVER + "print(server, sys.prefix)")
    jobs = [warm.start(path, word="both", python=python) for python in pythons]
    found = [job.communicate(timeout=900)[0].split() for job in jobs]
    assert {prefix for _, prefix in found} == {sys.prefix, str(other)}
    assert len({server for server, _ in found}) == 2
    assert found[0] == found[1] == found[2] == found[3] != found[4] == found[5]


def test_without_snakemake_the_script_runs_in_the_same_process(warm, script):
    job = warm.start(script("import os\nprint(os.getpid())"), word=None)
    out, log = job.communicate(timeout=900)
    assert (int(out), log) == (job.pid, "")


def test_without_a_warm_process_the_script_runs_in_the_same_process_and_says_so(warm, script, tmp_path):
    """An environment without packages has none."""
    venv.create(tmp_path / "empty", symlinks=True)
    job = warm.start(script("import os\nprint(os.getpid())"), python=tmp_path / "empty" / "bin" / "python")
    out, log = job.communicate(timeout=900)
    assert int(out) == job.pid
    assert re.fullmatch(r"..:..:.. no warm process \(.*\); this job imports the libraries itself\n", log), log


def test_a_job_without_an_encoder_is_a_fork_only_if_the_warm_process_is_ready(warm, script):
    """It neither starts one nor waits until one has imported the libraries."""
    path = script("import os\nprint(os.getpid())")
    assert warm.run(path)[0] == 0
    job = warm.start("--if-running", path)
    out, log = job.communicate(timeout=900)
    assert int(out) != job.pid and LAST_LINE.match(log.rstrip("\n"))
    environment = os.stat(sys.prefix)
    with socket.socket(socket.AF_UNIX) as importing:
        importing.bind(f"\0selfembed-{warm.process.pid}-importing-{environment.st_dev}-{environment.st_ino}")
        importing.listen()
        for word in ("none", "importing"):
            job = warm.start("--if-running", path, word=word)
            out, log = job.communicate(timeout=900)
            assert (int(out), log) == (job.pid, ""), word


def test_forks_take_different_gpus(warm, script, tmp_path):
    """A lock is taken by the fork, and free when the fork has ended."""
    source = f"import os, sys, time, pathlib, tempfile\nsys.path.insert(0, {str(ROOT / 'scripts')!r})\n"
    source += f"tempfile.tempdir = {str(tmp_path)!r}\nfrom selfembed.jobs.devices import own_gpus\n"
    source += "print(*own_gpus(['0', '1'], 1), flush=True)\nsys.stdin.read()"
    path, jobs = script(source), []
    for gpu in ("0", "1"):
        jobs.append(warm.start(path, stdin=-1))
        assert jobs[-1].stdout.readline() == f"{gpu}\n"
    jobs[0].communicate("", timeout=900)
    third = warm.start(path, stdin=-1)
    assert third.stdout.readline() == "0\n"
    for job in (jobs[1], third):
        job.communicate("", timeout=900)


NO_GPU = """
import importlib, os, sys
import torch
asked = []
for name in ("_lazy_init", "device_count", "init", "is_available"):
    setattr(torch.cuda, name, lambda *_, name=name: asked.append(name))
for name in sys.argv[1:]:
    importlib.import_module(name)
names = [open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task")]
print(asked, names.count(open("/proc/self/comm").read()))
"""


def test_what_the_warm_process_imports_uses_no_gpu_and_starts_no_thread_to_compute():
    """Threads of allocators have names of their own; those of OpenMP and OpenBLAS have the name of the program."""
    variables = environment() | dict.fromkeys(THREADS, "1")
    done = subprocess.run([sys.executable, "-c", NO_GPU, *LIBRARIES], env=variables, capture_output=True, text=True)
    assert done.stdout == "[] 1\n", done.stderr
