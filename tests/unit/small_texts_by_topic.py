"""Texts of known topics, each of its topic's words, and embeddings that lie around a centre of each topic."""

import numpy as np
import pandas as pd

WORDS = [
    ["graph", "node", "edge", "degree", "tree"],
    ["protein", "gene", "cell", "enzyme", "tissue"],
    ["market", "price", "trade", "export", "tariff"],
    ["guitar", "melody", "rhythm", "chord", "concert"],
]


def texts(count: int, seed: int = 1) -> tuple[pd.Series, np.ndarray]:
    """Texts of 12 words, 8 of them of a topic and 4 of everyone's, and the number of their topics."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(len(WORDS), size=count)
    common = ["about", "this", "result", "shows"]
    return pd.Series([" ".join([*common, *generator.choice(WORDS[topic], 8)]) for topic in truth]), truth


def embeddings(topic: np.ndarray, dim: int = 16, noise: float = 0.05, seed: int = 1) -> np.ndarray:
    """Float64, shape (texts, dim): a random unit vector for each topic, and noise around it."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(len(WORDS), dim))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return centres[topic] + noise * generator.normal(size=(len(topic), dim))
