"""Published and independently measured numbers on a real part of the paper's main corpus.

Expected: kNN accuracy (k = 10, Euclidean, 10 % split, seed 42, labelled abstracts), measured with independent code.
"""

import pandas as pd
import pytest

from workflow_runs import DATA, copy_of_checkout, snakemake

SOURCE = DATA / "iclr_2017_2018_2021.parquet"
TFIDF = 0.612
MINILM_BY_LAYER = [0.357, 0.388, 0.366, 0.348, 0.388, 0.449, 0.643]
MINILM_AFTER_CROPS = 0.626

pytestmark = pytest.mark.skipif(
    not SOURCE.is_file(), reason=f"{SOURCE.name} is not here; set SELFEMBED_DATA to the folder that holds it"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A function that runs the workflow up to a file below its results and reads that file's table."""
    folder = copy_of_checkout(tmp_path_factory.mktemp("iclr_part"))

    def run_to(name):
        target = f"results/iclr_part/{name}.csv"
        source = f"corpora={{iclr_part: {{source: {{path: {SOURCE.resolve()}}}}}}}"
        arguments = ("--configfile", "config/iclr_part.yaml", "--cores", "2", "--config", source)
        done = snakemake(folder, target, *arguments)
        assert done.returncode == 0, done.stdout[-5000:]
        return pd.read_csv(folder / target)

    return run_to


def by_label_and_layer(table):
    return table.set_index(["label", "layer"])["value"]


def test_counts_of_words(made):
    (value,) = made("scores/knn/iclr_part/base/tfidf/0/none_last")["value"]
    assert value == pytest.approx(TFIDF, abs=0.0005)


@pytest.mark.reference
def test_a_pretrained_encoder_by_layer(made):
    values = by_label_and_layer(made("tables/baselines"))
    for layer, expected in enumerate(MINILM_BY_LAYER):
        assert values["MiniLM"][layer] == pytest.approx(expected, abs=0.01), f"layer {layer}"


@pytest.mark.reference
def test_one_epoch_of_crops_in_fp32_and_bf16(made):
    values = by_label_and_layer(made("tables/fine_tuned"))
    assert values["MiniLM (Crops)"][6] == pytest.approx(MINILM_AFTER_CROPS, abs=0.015)
    assert values["MiniLM (Crops, bf16)"][6] == pytest.approx(values["MiniLM (Crops)"][6], abs=0.01)
