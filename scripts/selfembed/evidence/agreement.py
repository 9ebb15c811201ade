"""Compare published numbers with ours, given the noise of both.

A published number is of one run; ours is the mean over our seeds. Their difference has up to four sources of noise:

- `seed`: the model was trained or initialised with another seed. The variance is estimated from our seeds
  (`noise.shared_variances`).
- `split`: the published number was scored on another random part of the corpus.
- `rounding`: the published number was rounded, or read from a figure.
- `software`: the same weights in other versions of libraries, and in bf16. It is used for models without seeds; for
  others it is small compared with `seed`.
"""

import numpy as np
import pandas as pd

from selfembed.errors import InputError
from selfembed.evidence import counterparts, noise, published

# Columns that identify a number in both tables.
KEY = ["experiment", *counterparts.KEY]
VERDICTS = ("within noise", "differs", "not comparable", "not run")
SOURCES = ("seed", "split", "rounding", "software")
COLUMNS = [
    *KEY,
    "published",
    "reproduced",
    "difference",
    "seed_spread",
    "n_seeds",
    "noise",
    "seeds_of",
    "tolerance",
    "verdict",
    "reason",
    "source",
]

# Groups of numbers that share a prior of the variance over seeds; the first group with seeds is used, else a constant.
KINDS = {"experiment": ["experiment", "score", "pooling", "block"], "all experiments": ["score", "pooling", "block"]}
CONSTANT = "constant"
# Columns that identify a model, whose numbers share their runs.
MODEL = ["experiment", "series", "x"]

# Default: numbers are rounded to a tenth of a per cent.
ROUNDING = 0.0005
# Fraction of outcomes that other software and bf16 change. Measured with all-MiniLM-L6-v2 on ICLR abstracts: none of
# 4,560 outcomes with other attention kernels and batches in fp32, 0.26 % with bf16.
SOFTWARE_FLIPS = 0.003
# Standard deviation where the number of test texts is unknown (MTEB). The paper's scores of SBERT and public ones by
# mteb 1.12 to 2.3 differ by up to 0.002 points in 13 tasks other than clustering; the rest is for other libraries and
# processors.
SOFTWARE = 0.0005
# Variance over seeds times the number of test texts: residual variance of the paper's accuracies after consecutive
# epochs about a line, the median of nine runs on five corpora with 1,300 to 73,273 test texts (0.014 to 0.18).
SEED_VARIANCE_PER_TEXT = 0.06
SEED_DEGREES = 9
# Variance over seeds of an MTEB score: the paper's model after crops, trained and scored twice, on twelve tasks.
SEED_VARIANCE = 0.0023**2


def compare(numbers: pd.DataFrame, reproduced: pd.DataFrame) -> pd.DataFrame:
    """Compare each published number with ours.

    Args:
        numbers: published numbers; columns `KEY`, `value`, `source`, and any of `published.NOISE_COLUMNS`, whose cells
            were checked with the config.
        reproduced: our numbers, one row per number and seed; columns `KEY`, `label`, `block`, `value`, `seed`,
            `standard_error`, `n_train`, `n_test`.

    Returns one row per published number with the columns `COLUMNS`: `reproduced` (mean over seeds), `seed_spread`
    (standard deviation over seeds), `noise` (sources of noise in the tolerance), `seeds_of` (the numbers whose seeds
    the variance is estimated from), `tolerance` (exceeded by 5 % of differences due to noise), `reason` (why a number
    is not comparable), and others.

    Raises InputError if several of our labels match a number, as in a sweep of two keys, or if a number of another
    split is of a score without a standard error.
    """
    numbers = numbers.reset_index(drop=True)
    keys = counterparts.keyed(numbers)[KEY]
    reproduced = counterparts.keyed(reproduced.dropna(subset="value"))
    ours = means(reproduced).reindex(pd.MultiIndex.from_frame(keys)).reset_index(drop=True)
    several = np.flatnonzero(ours["n_labels"] > 1)
    if len(several):
        key = keys.iloc[several[0]]
        labels = reproduced.loc[(reproduced[KEY] == key).all(axis=1), "label"].unique()
        raise InputError(
            f"experiment '{key['experiment']}': expected: one published number for each of: {'; '.join(labels)}"
        )
    facts = noise_facts(numbers)
    table = numbers[KEY].assign(
        published=numbers["value"],
        reproduced=ours["mean"],
        difference=ours["mean"] - numbers["value"],
        seed_spread=ours["spread"],
        n_seeds=ours["n"].fillna(0).astype(int),
        reason=facts["not_comparable"],
        source=numbers["source"],
    )
    run = table["n_seeds"] > 0
    seeds = seed_variances(keys, ours)
    comparable = run & table["reason"].isna()
    table[["noise", "seeds_of", "tolerance"]] = None
    judged = tolerances(ours[comparable], facts[comparable], seeds[comparable], keys[comparable])
    table.loc[comparable, judged.columns] = judged
    table["tolerance"] = table["tolerance"].astype(float)
    table["verdict"] = np.select(
        [table["reason"].notna(), ~run, table["difference"].abs() <= table["tolerance"]],
        ["not comparable", "not run", "within noise"],
        "differs",
    )
    return table[COLUMNS]


def means(reproduced: pd.DataFrame) -> pd.DataFrame:
    """Compute the mean and spread over seeds of our numbers, indexed by `KEY`, and the parameters of their noise.

    `n` is the number of values, `degrees` is one less (missing without seeds), `squared_error` is the squared standard
    error of one value, and `outside` is the fraction of labelled texts that are not test texts, 1 if unknown.
    """
    table = reproduced.assign(
        block=reproduced["block"].fillna(""),
        squared_error=reproduced["standard_error"] ** 2,
        outside=(reproduced["n_train"] / (reproduced["n_train"] + reproduced["n_test"])).fillna(1.0),
    )
    found = table.groupby(KEY, sort=False).agg(
        mean=("value", "mean"),
        spread=("value", "std"),
        n=("value", "size"),
        n_seeds=("seed", "count"),
        n_labels=("label", "nunique"),
        block=("block", "first"),
        squared_error=("squared_error", "mean"),
        outside=("outside", "first"),
        n_test=("n_test", "first"),
    )
    found["degrees"] = (found["n"] - 1).where(found["n_seeds"] > 0)
    return found.astype({"n_test": float})


def noise_facts(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the parsed columns `published.NOISE_COLUMNS`, and `split`; an empty `rounding` gets its default."""
    facts = numbers.reindex(columns=published.NOISE_COLUMNS)
    texts = facts.astype("string").fillna("")
    for column in ("rounding", "software"):
        facts[column] = pd.to_numeric(texts[column], errors="coerce")
    facts["rounding"] = facts["rounding"].fillna(ROUNDING)
    facts["split"] = texts["noise"].str.strip() == published.SPLIT
    reasons = texts["not_comparable"].str.strip().astype(object)
    facts["not_comparable"] = reasons.where(reasons != "", None)
    return facts


def seed_variances(keys: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Estimate the variance over seeds of each number: `variance`, its `degrees` of freedom, and `seeds_of`.

    Variances are multiplied by the number of test texts, if known, before they are shared: seeds mostly change the
    labels of texts near the boundary of two classes, so these products are similar between corpora.

    Args:
        keys, ours: key and `means` of each published number. The variance is missing for numbers that were not run, and
            for models without seeds.
    """
    texts = ours["n_test"].fillna(1.0)
    per_text = ours["spread"] ** 2 * texts
    table = pd.DataFrame({"variance": np.nan, "degrees": np.nan, "seeds_of": None}, index=ours.index)
    seeded = ours["degrees"].notna()
    places = keys.assign(block=ours["block"], of_texts=ours["n_test"].notna())
    for name, columns in KINDS.items():
        for _, rows in places[seeded].groupby([*columns, "of_texts"], sort=False).groups.items():
            degrees = ours.loc[rows, "degrees"].to_numpy(float)
            missing = table.loc[rows, "variance"].isna().to_numpy()
            if not degrees.any() or not missing.any():
                continue
            models = keys.loc[rows].groupby(MODEL, sort=False).ngroup().to_numpy()
            variances, shared = noise.shared_variances(per_text[rows].to_numpy(float), degrees, models)
            filled = rows[missing]
            table.loc[filled, "variance"] = variances[missing] / texts[filled]
            table.loc[filled, "degrees"] = shared[missing]
            table.loc[filled, "seeds_of"] = name
    left = seeded & table["variance"].isna()
    constant = (SEED_VARIANCE_PER_TEXT / ours["n_test"]).fillna(SEED_VARIANCE)
    table.loc[left, "variance"] = constant[left]
    table.loc[left, "degrees"] = SEED_DEGREES
    table.loc[left, "seeds_of"] = CONSTANT
    return table


def tolerances(ours: pd.DataFrame, facts: pd.DataFrame, seeds: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """Compute `tolerance`, `noise` (its sources) and `seeds_of`; all tables have a row per comparable number.

    Raises InputError if a number of another split is of a score without a standard error.
    """
    seeded = seeds["variance"].notna().to_numpy()
    seed = seeds["variance"].fillna(0.0).to_numpy()
    split = facts["split"].to_numpy()
    unknown = split & ours["squared_error"].isna().to_numpy()
    if unknown.any():
        key = keys.iloc[unknown.argmax()]
        raise InputError(
            f"published number of experiment '{key['experiment']}', {key['series']}: noise: '{published.SPLIT}' is"
            f" invalid; expected: a score with a standard error over texts, which '{key['score']}' lacks"
        )
    # Two random parts of one corpus. The variance over seeds is subtracted, because `seed` includes it.
    texts = np.maximum(ours["squared_error"].fillna(0.0).to_numpy() - seed, 0.0)
    texts = np.where(split, 2 * texts * ours["outside"].to_numpy(), 0.0)
    default = np.sqrt(SOFTWARE_FLIPS / ours["n_test"]).fillna(SOFTWARE)
    software = facts["software"].fillna(default).to_numpy()
    rounding = facts["rounding"].to_numpy()
    seed = seed * (1 + 1 / ours["n"].to_numpy())
    known = texts + np.where(seeded, 0.0, software**2)
    degrees = noise.effective_degrees(seed, seeds["degrees"].fillna(1.0).to_numpy(), known)
    limits = noise.limits(np.sqrt(seed + known), degrees, rounding)
    # Seeds can agree by chance, so the tolerance is at least that of the software.
    limits = np.maximum(limits, noise.limits(software, np.full(len(software), np.inf), rounding))
    used = np.column_stack([seeded, split, rounding > 0, ~seeded & (software > 0)])
    return pd.DataFrame(
        {
            "noise": [", ".join(np.array(SOURCES)[row]) for row in used],
            "seeds_of": seeds["seeds_of"],
            "tolerance": limits,
        },
        index=ours.index,
    )
