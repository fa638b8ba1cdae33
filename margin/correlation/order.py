"""The order of assets that puts those that move together side by side on a heatmap."""

import numpy as np

from margin.core.errors import InputError


def hierarchical_order(matrix: np.ndarray) -> list[int]:
    """Indices of the assets (rows of a correlation matrix, (k, k)) in the order of an average-linkage tree.

    Distance root((1 - rho) / 2); leaves ordered so that neighbours are as close as can be. A missing correlation (NaN)
    counts as 0. The same matrix gives the same order. scipy.cluster is imported here, when first needed.
    Source: Mantegna (1999), "Hierarchical structure in financial markets"; Bar-Joseph, Gifford and Jaakkola (2001),
    "Fast optimal leaf ordering for hierarchical clustering".
    """
    matrix = np.asarray(matrix, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError("correlation", matrix.shape, "must be a square matrix")
    k = len(matrix)
    if k < 3:
        return list(range(k))
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering

    rho = np.where(np.isfinite(matrix), matrix, 0.0)
    distance = np.sqrt(np.clip((1.0 - (rho + rho.T) / 2.0) / 2.0, 0.0, 1.0))
    condensed = distance[np.triu_indices(k, 1)]
    tree = linkage(condensed, "average")
    return [int(i) for i in leaves_list(optimal_leaf_ordering(tree, condensed))]
