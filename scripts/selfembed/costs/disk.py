"""The largest size that the results of a study reach on the disk.

Sizes of files are computed from the config. A simulation runs the jobs in the order of their priorities: what uses a
finished model goes before the next fine-tuning. With `keep: results`, run folders and embeddings are removed when
nothing needs them any more.
"""

import bisect
import heapq
from collections import Counter
from dataclasses import dataclass, replace

from selfembed.costs.hours import CORES_BESIDE_GPU, GPU, Rates, hours, read_rates
from selfembed.costs.sizes import CHARACTERS_PER_TOKEN
from selfembed.costs.work import EMBEDDING, EVALUATION, MTEB, Count, Job
from selfembed.settings.encoders import BagOfWords, BesideWordCounts, EmbeddingLayerEncoder, FetchedEncoder, SvdEncoder
from selfembed.study import adapted, expansion
from selfembed.study.expansion import Evaluation

NUMBER = 4  # bytes of a weight or of a value of a vector
PER_TERM = 12  # bytes of a value of a sparse matrix, with its column
CHARACTERS_PER_TERM = 14  # different words of a text: 156 in 2,181 characters (`rates.csv`)
STATES = 3  # of a checkpoint: weights and both moments of Adam
ENCODER_JOBS = 3  # `gpu` in profiles/default

RUNS, VECTORS, SCRATCH, FIXED = "runs", "embeddings", "in progress", "data, encoders, pairs and exports"


@dataclass
class Step:
    """A job in the simulation.

    Attributes:
        needs: names of jobs whose output it reads.
        kind: what its output is.
        output: bytes that it leaves.
        scratch: further bytes while it runs.
        priority: the highest ready one starts first.
        on_gpu: whether it is a job with an encoder.
        duration: hours.
    """

    needs: tuple[str, ...]
    kind: str = ""
    output: float = 0
    scratch: float = 0
    priority: int = 0
    threads: int = 1
    on_gpu: bool = False
    duration: float = 0


def peak(
    count: Count, keep: str, cores: int = CORES_BESIDE_GPU, gpus: int = ENCODER_JOBS, rates: Rates | None = None
) -> Counter[str]:
    """The bytes of all results of a study by kind, when they are most.

    Args:
        keep: `everything`, or `results` to remove run folders and embeddings that nothing needs any more.
        cores: as given to Snakemake; jobs run at the same time while their threads fit.
        gpus: as given to Snakemake: number of jobs with an encoder that run at the same time.
    """
    return simulate(steps(count, rates or read_rates()), fixed(count), keep == "results", cores, gpus)


def simulate(jobs: dict[str, Step], kept: float, removes: bool, cores: int, gpus: int) -> Counter[str]:
    """Run jobs by priority, then in their order; return the bytes by kind, when they are most.

    Args:
        kept: bytes that are there from the beginning.
        removes: whether an output is removed when all jobs that need it are done.
    """
    users = Counter(name for step in jobs.values() for name in step.needs)
    waiting = {name: len(step.needs) for name, step in jobs.items()}
    followers: dict[str, list[str]] = {}
    order = {name: number for number, name in enumerate(jobs)}
    for name, step in jobs.items():
        for needed in step.needs:
            followers.setdefault(needed, []).append(name)
    ready = sorted((-step.priority, order[name], name) for name, step in jobs.items() if not step.needs)
    running: list[tuple[float, int, str]] = []
    now, stored = 0.0, Counter({FIXED: kept})
    most = stored.copy()
    while ready or running:
        while True:
            busy = [jobs[name] for *_, name in running]
            free = cores - sum(step.threads for step in busy), gpus - sum(step.on_gpu for step in busy)
            startable = (entry for entry in ready if fits(jobs[entry[-1]], *free) or not busy)
            if (entry := next(startable, None)) is None:
                break
            ready.remove(entry)
            name = entry[-1]
            step = jobs[name]
            stored[step.kind] += step.output
            stored[SCRATCH] += step.scratch
            heapq.heappush(running, (now + step.duration, order[name], name))
        if stored.total() > most.total():
            most = stored.copy()
        now, _, name = heapq.heappop(running)
        step = jobs[name]
        stored[SCRATCH] -= step.scratch
        for follower in followers.get(name, []):
            waiting[follower] -= 1
            if not waiting[follower]:
                bisect.insort(ready, (-jobs[follower].priority, order[follower], follower))
        users.subtract(step.needs)
        for used in (*step.needs, name):
            if removes and not users[used]:
                stored[jobs[used].kind] -= jobs[used].output
    return most


def fits(step: Step, cores: int, gpus: int) -> bool:
    """Whether a job can start beside the others."""
    return step.threads <= cores and step.on_gpu <= gpus


def steps(count: Count, rates: Rates) -> dict[str, Step]:
    """The jobs of a study that leave large files, and those that need these files; by name."""
    study, settings, threads = count.study, count.settings, count.settings.threads
    amounts = count.jobs(study.experiments)
    taken = {job: hours({job: work}, GPU, rates).total() for job, work in amounts.items()}
    found: dict[str, Step] = {}
    readers: dict[str, Step] = {}  # of vectors
    wanted: dict[Job, dict[str, set[str]]] = {}  # by MTEB job and task: poolings and layers
    for item in study.evaluations:
        needs = ()
        if item.model.recipe:
            run = count.run(item.model)
            needs = (name_of(run),)
            weights = model_size(count, item.model.encoder)
            size = (1 + len(study.kept_steps[item.model.path])) * weights
            made = Step((), RUNS, size, STATES * weights, 0, threads.fine_tune, True, taken[run])
            found.setdefault(name_of(run), made)
        if item.on in settings.tasks:
            job = count.benchmark(item)
            made = found.setdefault(name_of(job), Step(needs, "", 0, 0, 1, threads.embed, True, taken[job]))
            poolings = wanted.setdefault(job, {}).setdefault(item.on, set())
            pooling, layer, *_ = item.selection.split("_")
            poolings.add(f"{pooling}_{layer}")
            task = count.known.tasks.get(item.on)
            vectors = (task.different if task else 0) * len(poolings) * count.shapes[item.model.encoder].width
            made.scratch = max(made.scratch, vectors * NUMBER)
        else:
            job = count.embedded(item)
            on_gpu = job.kind == EMBEDDING
            size = vectors_size(count, item)
            parts = size if count.embedding_jobs(item) > 1 else 0  # until they are merged
            made = Step(needs, VECTORS, size, parts, 1, threads.embed, on_gpu, taken[job])
            found.setdefault(name_of(job), made)
            readers[f"reader/{item.path}"] = Step((name_of(job),), priority=2, threads=threads.score)
    for job, work in taken.items():
        if job.kind == EVALUATION:
            model, _, _ = job.path.rpartition("/")[0].rpartition("/")
            found[name_of(Job(MTEB, model))].duration += work
    candidates = reported(count)
    packed = {f"package/{item.model.path}": item.model for item in candidates if item.model.recipe}
    readers |= {name: Step((name_of(count.run(model)),), priority=2) for name, model in packed.items()}
    before = tuple(packed)  # an export is made when a model is chosen
    if candidates:
        scores = adapted.evaluations(settings.report, settings, study).values()
        before += tuple(f"reader/{item.path}" for items in scores for item in items)
    for job, work in count.exports().items():
        corpus = job.path.split("/")[0]
        size = max(vectors_size(count, replace(item, on=corpus, selection="own_last")) for item in candidates)
        found[name_of(job)] = Step(
            before, VECTORS, size, 0, 1, threads.embed, True, hours({job: work}, GPU, rates).total()
        )
        readers[f"reader/{job.path}"] = Step((name_of(job),), priority=2, threads=threads.score)
    return found | readers


def name_of(job: Job) -> str:
    """Name of a job in the simulation."""
    return f"{job.kind}/{job.path}"


def reported(count: Count) -> list[Evaluation]:
    """The candidates of a report, and the encoder that is kept otherwise; one of them is packed."""
    report = count.settings.report
    return adapted.candidates(report, count.settings, count.study) if report else []


def model_size(count: Count, encoder: str) -> float:
    """Bytes of a saved model: 12 × width² weights in a layer, and the embedding matrices."""
    shape = count.shapes[encoder]
    settings = count.settings.encoders[encoder]
    if isinstance(settings, BagOfWords):
        return 0
    positions = 0 if isinstance(settings, EmbeddingLayerEncoder) else shape.positions
    words = shape.vocabulary * settings.components if isinstance(settings, BesideWordCounts) else 0
    return NUMBER * (shape.width * (12 * shape.layers * shape.width + shape.vocabulary + positions) + words)


def vectors_size(count: Count, item: Evaluation) -> float:
    """Bytes of embeddings: texts × layers × poolings × width, or the terms of TF-IDF."""
    corpus = count.known.corpora.get(item.on)
    if corpus is None:
        return 0
    encoder = count.settings.encoders[item.model.encoder]
    if isinstance(encoder, BagOfWords) and not isinstance(encoder, SvdEncoder):
        return corpus.texts * corpus.characters / CHARACTERS_PER_TERM * PER_TERM
    poolings, layers = expansion.selected(item.selection, encoder.layers)
    width = count.shapes[item.model.encoder].width
    width += encoder.components if isinstance(encoder, BesideWordCounts) else 0
    return corpus.texts * len(poolings) * len(layers) * width * NUMBER


def fixed(count: Count) -> float:
    """Bytes of data, encoders, base models and pairs, and of the adapted model and exports, which are never removed.

    Each export counts as if it had the size of the model.
    """
    settings, known = count.settings, count.known
    texts = sum(2 * corpus.texts * corpus.characters for corpus in known.corpora.values())  # raw and prepared
    texts += sum(task.texts * task.characters for task in known.tasks.values())
    models = 0.0
    for name, encoder in settings.encoders.items():
        copies = 2 if isinstance(encoder, FetchedEncoder) else 1  # as fetched, and as a base model
        seeds = len(settings.seeds) if expansion.has_random_weights(name, settings) else 1
        models += copies * seeds * model_size(count, name)
    if candidates := reported(count):
        largest = max(model_size(count, item.model.encoder) for item in candidates)
        models += largest * (1 + len(set(settings.report.exports)))
    return texts + models + pairs_size(count)


def pairs_size(count: Count) -> float:
    """Bytes of all files of pairs: the characters of both packs in every epoch."""
    found = {}
    for model in dict.fromkeys(item.model for item in count.study.evaluations):
        corpus = count.known.corpora.get(model.corpus or "")
        if model.recipe and corpus:
            recipe = count.study.recipes[model.recipe]
            _, tokens = count.pack(recipe)
            file = model.corpus, expansion.pairs_name(recipe), recipe.epochs, model.seed
            found[file] = count.pairs(corpus, recipe) * 2 * tokens * CHARACTERS_PER_TOKEN
    return sum(found.values())
