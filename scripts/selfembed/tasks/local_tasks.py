"""MTEB tasks outside its registry: made from a labelled corpus or read from files. mteb embeds and scores."""

from mteb.abstasks.abstask import AbsTask
from mteb.abstasks.classification import AbsTaskClassification
from mteb.abstasks.clustering_legacy import AbsTaskClusteringLegacy
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.sts import AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata

# mteb's class, task type and main score of each kind.
KINDS = {
    "clustering": (AbsTaskClusteringLegacy, "Clustering", "v_measure"),
    "classification": (AbsTaskClassification, "Classification", "accuracy"),
    "sts": (AbsTaskSTS, "STS", "cosine_spearman"),
    "retrieval": (AbsTaskRetrieval, "Retrieval", "ndcg_at_10"),
    "reranking": (AbsTaskRetrieval, "Reranking", "map_at_1000"),
}


def local_task(name: str, kind: str, data: dict, checksum: str) -> AbsTask:
    """Create a task of a kind; the checksum of its data serves as the revision."""
    base, type_name, main_score = KINDS[kind]
    metadata = TaskMetadata(
        name=name,
        description=f"{kind} of local data",
        dataset={"path": name, "revision": checksum},
        type=type_name,
        eval_langs=["eng-Latn"],
        main_score=main_score,
    )
    task = type(name, (base,), {"metadata": metadata})()
    task.dataset = data
    task.data_loaded = True
    return task
