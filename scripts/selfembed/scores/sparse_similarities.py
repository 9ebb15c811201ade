"""Similarities of sparse vectors, such as TF-IDF, with single texts of which they share few words."""

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from selfembed.scores.similarities import error_bound, squared_norms

# Columns with entries in more than this part of the rows, such as frequent words, are multiplied as dense ones: there
# most of the work of a sparse product would be, at a small part of the speed.
FREQUENT = 0.1


class SparseProducts:
    """Similarities of CSR matrices, which are not centred."""

    def __init__(self, train: csr_matrix, test: csr_matrix) -> None:
        columns = train.astype(np.float32).T.tocsr()
        frequent = np.diff(columns.indptr) > FREQUENT * train.shape[0]
        self.frequent, self.rare = columns[frequent].toarray(), columns[~frequent]
        test32 = test.astype(np.float32)
        self.test_frequent, self.test_rare = test32[:, frequent].toarray(), test32[:, ~frequent]
        norms = squared_norms(train)
        self.half_norms = (norms / 2).astype(np.float32)
        terms = int(frequent.sum()) + int(np.diff(self.test_rare.indptr).max())
        self.error = error_bound(terms, squared_norms(test), norms)

    def similarities(self, block: slice) -> np.ndarray:
        """Those of a block of test texts, float32, shape (block, training texts)."""
        found = self.test_frequent[block] @ self.frequent
        found -= self.half_norms
        rows, columns = self.test_rare[block], self.rare
        add_products(found, rows.indptr, rows.indices, rows.data, columns.indptr, columns.indices, columns.data)
        return found


@njit(nogil=True)
def add_products(found, row_starts, row_columns, row_values, column_starts, column_rows, column_values):
    """Add the scalar products of sparse rows, and of the rows that sparse columns are made of, to a dense matrix.

    Args:
        found: float32, shape (rows, rows behind the columns), changed in place.
        row_starts, row_columns, row_values: a CSR matrix; column_starts, column_rows, column_values: a CSC matrix.
    """
    for row in range(found.shape[0]):
        for entry in range(row_starts[row], row_starts[row + 1]):
            column, value = row_columns[entry], row_values[entry]
            for other in range(column_starts[column], column_starts[column + 1]):
                found[row, column_rows[other]] += value * column_values[other]
