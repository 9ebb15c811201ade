"""Maps by t-SNE."""

import numpy as np
import pytest
from with_defaults import layout

from selfembed.errors import InputError


def test_texts_with_the_same_vector_have_no_map():
    """An encoder that knows no word of the texts gives them all the same vector, and t-SNE positions that are NaN."""
    vectors = np.tile(np.float32([0.1, -0.7, 2.0]), (20, 1))
    with pytest.raises(
        InputError, match="all 20 texts have the same vector; expected: an encoder that knows the script"
    ):
        layout(vectors + np.float32([[1e-8], [0]] * 10))
    assert np.isfinite(layout(vectors + np.random.default_rng(0).normal(size=(20, 3)))).all()
