"""Published numbers against ours: which differ by more than noise explains, and which cannot be compared.

A published number is one run's; ours is the mean over our seeds. Their difference has up to four sources of noise:

- `seed`: the model was trained, or made at random, with another seed. The variance comes from our seeds
  (`noise.shared_variances`).
- `split`: the published number was scored on another random part of the corpus.
- `rounding`: the published number was rounded, or read from a figure.
- `software`: the same weights in other versions of libraries. It counts for models without a seed; elsewhere seeds do
  more.
"""

import numpy as np
import pandas as pd

from selfembed.errors import InputError
from selfembed.evidence import counterparts, noise, published

# What identifies a number in both tables.
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

# Whose seeds tell the noise of seeds, the first of these that has any: numbers of the same experiment, of all
# experiments, with the same score, pooling and block of tasks; else a constant.
KINDS = {"experiment": ["experiment", "score", "pooling", "block"], "all experiments": ["score", "pooling", "block"]}
CONSTANT = "constant"
# What tells models in a table: numbers that share these share their runs.
MODEL = ["experiment", "series", "x"]

# Where a published table does not say how its numbers were rounded: to a tenth of a per cent.
ROUNDING = 0.0005
# Part of the tested texts whose outcome changes with the software alone. Measured with all-MiniLM-L6-v2 on ICLR
# abstracts: none of 4,560 outcomes with other attention kernels and batches in fp32, 0.26 % with bf16.
SOFTWARE_FLIPS = 0.001
# Where the number of tested texts is unknown (MTEB). The paper's scores of SBERT and public ones by mteb 1.12 to 2.3
# differ by up to 0.002 points in 13 tasks other than clustering; the rest is for other libraries and processors.
SOFTWARE = 0.0005
# Variance between seeds, times tested texts: scatter of the paper's accuracies after consecutive epochs about a line,
# the median of nine runs on five corpora with 1,300 to 73,273 tested texts (0.014 to 0.18).
SEED_VARIANCE_PER_TEXT = 0.06
SEED_DEGREES = 9
# Variance between seeds of an MTEB score: the paper's model after crops, trained and scored twice, on twelve tasks.
SEED_VARIANCE = 0.0023**2


def compare(numbers: pd.DataFrame, reproduced: pd.DataFrame) -> pd.DataFrame:
    """One row per published number, in `COLUMNS`.

    Args:
        numbers: published numbers; columns `KEY`, `value`, `source`, and any of `published.NOISE_COLUMNS`.
        reproduced: columns `KEY`, `label`, `block`, `value`, `seed`, `standard_error`, `n_train`, `n_test`; one row per
            number and seed.

    Returns the key, `published`, `reproduced` (mean over seeds), `difference`, `seed_spread` (standard deviation),
    `n_seeds`, `noise` (sources that the tolerance is made of), `seeds_of` (whose seeds tell their noise), `tolerance`
    (exceeded by 5 % of true agreements), `verdict`, `reason` (why a number is not comparable) and `source`.

    Raises InputError if several labels of ours match a number, as those of a sweep of two keys do, if a cell of the
    noise columns is invalid, or if a number of another split is of a score without a standard error.
    """
    keys = counterparts.keyed(numbers)[KEY].reset_index(drop=True)
    reproduced = counterparts.keyed(reproduced.dropna(subset="value"))
    ours = means(reproduced).reindex(pd.MultiIndex.from_frame(keys)).reset_index(drop=True)
    several = np.flatnonzero(ours["n_labels"] > 1)
    if len(several):
        key = keys.iloc[several[0]]
        labels = reproduced.loc[(reproduced[KEY] == key).all(axis=1), "label"].unique()
        raise InputError(
            f"experiment '{key['experiment']}': expected: one published number for each of: {'; '.join(labels)}"
        )
    facts = noise_facts(numbers).reset_index(drop=True)
    table = (
        numbers[KEY]
        .reset_index(drop=True)
        .assign(
            published=numbers["value"].to_numpy(),
            reproduced=ours["mean"],
            difference=ours["mean"] - numbers["value"].to_numpy(),
            seed_spread=ours["spread"],
            n_seeds=ours["n"].fillna(0).astype(int),
            reason=facts["not_comparable"],
            source=numbers["source"].to_numpy(),
        )
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
    """Our numbers, indexed by their key: mean and spread over seeds, and what their noise follows from.

    `n` is the number of values, `degrees` the seeds less one (missing of models without a seed), `error` the standard
    error of one value, `outside` the part of the labelled texts that is not tested, 1 where unknown.
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
    """The columns `published.NOISE_COLUMNS`, with what holds where a table does not say.

    Raises InputError if a cell is invalid.
    """
    facts = numbers.reindex(columns=published.NOISE_COLUMNS)
    texts = facts.astype("string").fillna("")
    for row, cells in zip(numbers.to_dict("records"), texts.to_dict("records"), strict=True):
        problem = published.problem(cells)
        if problem:
            raise InputError(f"published number of experiment '{row['experiment']}', {row['series']}: {problem}")
    for column in ("rounding", "software"):
        facts[column] = pd.to_numeric(texts[column], errors="coerce")
    facts["rounding"] = facts["rounding"].fillna(ROUNDING)
    facts["split"] = texts["noise"].str.strip() == published.SPLIT
    reasons = texts["not_comparable"].str.strip().astype(object)
    facts["not_comparable"] = reasons.where(reasons != "", None)
    return facts


def seed_variances(keys: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """Variance between seeds of every number: `variance`, its `degrees` of freedom, and `seeds_of`.

    Variances are compared times the number of tested texts, where it is known: most of what seeds change is which texts
    near the boundary of two classes get the right label, so that corpora differ by little else.

    Args:
        keys, ours: a row for each published number, the key and `means`. Rows that were not run, and those of models
            without a seed, get no variance.
    """
    texts = ours["n_test"].fillna(1.0)
    per_text = ours["spread"] ** 2 * texts
    table = pd.DataFrame({"variance": np.nan, "degrees": np.nan, "seeds_of": None}, index=ours.index)
    seeded = ours["degrees"].notna()
    places = keys.assign(block=ours["block"], of_texts=ours["n_test"].notna())
    for name, columns in KINDS.items():
        for _, rows in places[seeded].groupby([*columns, "of_texts"], sort=False).groups.items():
            degrees = ours.loc[rows, "degrees"].to_numpy(float)
            open_ = table.loc[rows, "variance"].isna().to_numpy()
            if not degrees.any() or not open_.any():
                continue
            models = keys.loc[rows].groupby(MODEL, sort=False).ngroup().to_numpy()
            variances, shared = noise.shared_variances(per_text[rows].to_numpy(float), degrees, models)
            filled = rows[open_]
            table.loc[filled, "variance"] = variances[open_] / texts[filled]
            table.loc[filled, "degrees"] = shared[open_]
            table.loc[filled, "seeds_of"] = name
    left = seeded & table["variance"].isna()
    constant = (SEED_VARIANCE_PER_TEXT / ours["n_test"]).fillna(SEED_VARIANCE)
    table.loc[left, "variance"] = constant[left]
    table.loc[left, "degrees"] = SEED_DEGREES
    table.loc[left, "seeds_of"] = CONSTANT
    return table


def tolerances(ours: pd.DataFrame, facts: pd.DataFrame, seeds: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """What differences are judged by: `tolerance`, `noise` (its sources) and `seeds_of`.

    Args:
        ours, facts, seeds, keys: a row for each comparable number that was run.
    """
    seeded = seeds["variance"].notna().to_numpy()
    seed = seeds["variance"].fillna(0.0).to_numpy()
    split = facts["split"].to_numpy()
    unknown = split & ours["squared_error"].isna().to_numpy()
    if unknown.any():
        key = keys.iloc[unknown.argmax()]
        raise InputError(
            f"published number of experiment '{key['experiment']}', {key['series']}: noise: '{published.SPLIT}' is"
            f" wrong; expected: a score with a standard error over texts, which '{key['score']}' has not"
        )
    # Two random parts of one corpus. What seeds change of a text is no property of the text: it is in `seed` already.
    texts = np.maximum(ours["squared_error"].fillna(0.0).to_numpy() - seed, 0.0)
    texts = np.where(split, 2 * texts * ours["outside"].to_numpy(), 0.0)
    default = np.sqrt(SOFTWARE_FLIPS / ours["n_test"]).fillna(SOFTWARE)
    software = facts["software"].fillna(default).to_numpy()
    rounding = facts["rounding"].to_numpy()
    seed = seed * (1 + 1 / ours["n"].to_numpy())
    known = texts + np.where(seeded, 0.0, software**2)
    degrees = noise.effective_degrees(seed, seeds["degrees"].fillna(1.0).to_numpy(), known)
    limits = noise.limits(np.sqrt(seed + known), degrees, rounding)
    # Seeds that happen to agree are no proof that software would.
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
