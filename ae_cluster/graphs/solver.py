"""Many systems of equations on one graph, solved at once.

Conjugate gradients in two levels. One step of the plain method carries a label one neighbour
further, and 60,000 samples are far apart; so samples are gathered into about a thousand
patches, whose small system, solved exactly, tells each step what happens far away: a few
dozen steps are enough. Any number of right-hand sides shares each sparse product.

Single precision is enough where codes lie side by side. Where they form islands, say of many
equal rows, the flow across the weak ties between these drowns in its rounding; what is not
settled is solved again in double precision, with patches that keep to their island.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from ae_cluster.common.chunks import slices
from ae_cluster.graphs.knn_graph import NeighborGraph
from ae_cluster.graphs.neighbors import NeighborSearch

SAMPLES_IN_A_PATCH = 50
MOST_PATCHES = 1200
COLUMNS_AT_ONCE = 40  # right-hand sides: 10 MB an array at 60,000 samples
STRAYED = 10.0  # as many times tol may a column that seems done be off by rounding
Matrix = NDArray[np.floating]


class GraphSystem(NamedTuple):
    """The matrix A = I − alpha · D^(−1/2) W D^(−1/2) of a graph, ready to be solved with.

    Attributes
    ----------
    order : ndarray (n,)
        The samples patch by patch: neighbours lie side by side in memory, which halves the
        time of a product. All else here is in this order.
    matrix : sparse array (n, n)
        A. With alpha 1 it is singular: right-hand sides must be orthogonal to D^(1/2) · 1.
    patches : sparse array (n, n_patches)
        What one number per patch means for its samples.
    coarse_inverse : ndarray (n_patches, n_patches)
        Of A as the patches see it.
    graph : NeighborGraph
    alpha : float
    """

    order: NDArray[np.int64]
    matrix: sparse.csr_array
    patches: sparse.csr_array
    coarse_inverse: Matrix
    graph: NeighborGraph
    alpha: float

    def in_single_precision(self) -> GraphSystem:
        """Return the same system with half as many digits."""
        return self._replace(
            matrix=self.matrix.astype(np.float32),
            patches=self.patches.astype(np.float32),
            coarse_inverse=self.coarse_inverse.astype(np.float32),
        )

    def precondition(self, residuals: Matrix) -> Matrix:
        """Return what roughly solves the system for these right-hand sides."""
        far = self.coarse_inverse @ (self.patches.T @ residuals)
        rough: Matrix = residuals + self.patches @ far
        return rough


def graph_system(graph: NeighborGraph, alpha: float = 1.0) -> GraphSystem:
    """Return the system of a graph: of Poisson learning with alpha 1, of label spreading below."""
    return _system(graph, alpha, _patch_of_each(graph.search.positions))


def _system_by_parts(graph: NeighborGraph, alpha: float) -> GraphSystem:
    """Return the system of a graph with patches none of which lies in two of its parts."""
    patch = _patch_of_each(graph.search.positions)
    if graph.parts.max() < MOST_PATCHES:
        together = patch * (graph.parts.max() + 1) + graph.parts
        patch = np.unique(together, return_inverse=True)[1].astype(np.int64)
    return _system(graph, alpha, patch)


def _system(graph: NeighborGraph, alpha: float, patch: NDArray[np.int64]) -> GraphSystem:
    order = np.argsort(patch, kind="stable")
    patch, roots = patch[order], np.sqrt(graph.degrees[order])
    n = len(order)
    scale = sparse.diags_array(1 / roots)
    similar = scale @ graph.weights[order][:, order] @ scale
    matrix = sparse.csr_array(sparse.eye_array(n, format="csr") - alpha * similar)
    # In each patch in proportion to D^(1/2) · 1, which no step may lose sight of.
    values = roots / np.sqrt(np.bincount(patch, roots**2))[patch]
    patches = sparse.csr_array((values, (np.arange(n), patch)))
    coarse = (patches.T @ matrix @ patches).toarray()
    if alpha == 1:  # singular in one direction, of which no right-hand side has a part
        null = patches.T @ (roots / np.linalg.norm(roots))
        coarse += np.outer(null, null)
    return GraphSystem(order, matrix, patches, np.linalg.inv(coarse), graph, alpha)


def _patch_of_each(positions: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the patch (n,) of each sample: that of the nearest of some chosen samples."""
    n = len(positions)
    n_patches = min(MOST_PATCHES, -(-n // SAMPLES_IN_A_PATCH))
    chosen = np.random.default_rng(0).choice(n, n_patches, replace=False)
    _, nearest = NeighborSearch(positions[chosen]).nearest(positions, 1)
    # Numbered anew: of two chosen samples at the same position one has an empty patch.
    return np.unique(nearest[:, 0], return_inverse=True)[1].astype(np.int64)


def solve(
    system: GraphSystem, sides: Matrix, tol: float, max_iter: int
) -> tuple[NDArray[np.float32], int]:
    """Return solutions (n, m) for right-hand sides (n, m), and the steps they took.

    Parameters
    ----------
    tol : float
        A column is done when its residual is this part of its right-hand side.
    max_iter : int
        Steps; more needed is a ConvergenceWarning.
    """
    found, most = np.empty(sides.shape, np.float32), 0
    single, exact = system.in_single_precision(), None
    for columns in slices(sides.shape[1], COLUMNS_AT_ONCE):
        wanted = sides[system.order, columns]
        if exact is None:
            part, n_steps = _conjugate_gradient(single, wanted, tol, max_iter)
            if not _is_settled(system, part, wanted, STRAYED * tol):
                exact = _system_by_parts(system.graph, system.alpha)
        if exact is not None:
            part, n_steps = _solve_exactly(exact, sides[exact.order, columns], tol, max_iter)
        found[(exact or system).order, columns] = part
        most = max(most, n_steps)
    return found, most


def _solve_exactly(
    system: GraphSystem, sides: Matrix, tol: float, max_iter: int
) -> tuple[Matrix, int]:
    found, n_steps = _conjugate_gradient(system, sides, tol, max_iter)
    if not _is_settled(system, found, sides, STRAYED * tol):
        warnings.warn(
            f"The labels' way through the graph was not settled after {max_iter} steps; raise "
            "max_iter or tol.",
            ConvergenceWarning,
            stacklevel=3,
        )
    return found, n_steps


def _is_settled(system: GraphSystem, found: Matrix, sides: Matrix, tol: float) -> bool:
    """Return whether solutions meet their right-hand sides; what steps add up may stray."""
    residuals = sides - system.matrix @ found
    return bool((np.linalg.norm(residuals, axis=0) <= tol * np.linalg.norm(sides, axis=0)).all())


def _conjugate_gradient(
    system: GraphSystem, sides: Matrix, tol: float, max_iter: int
) -> tuple[Matrix, int]:
    """Solve for all columns together: Hestenes and Stiefel's method, preconditioned."""
    residuals = np.array(sides, system.coarse_inverse.dtype)
    found = np.zeros_like(residuals)
    enough = tol * np.linalg.norm(residuals, axis=0)
    rough = system.precondition(residuals)
    directions = rough.copy()
    energy = _inner(residuals, rough)
    for n_steps in range(1, max_iter + 1):
        image = system.matrix @ directions
        step = _ratio(energy, _inner(directions, image))
        found += step * directions
        residuals -= step * image
        if (np.linalg.norm(residuals, axis=0) <= enough).all():
            return found, n_steps
        rough = system.precondition(residuals)
        before, energy = energy, _inner(residuals, rough)
        directions *= _ratio(energy, before)
        directions += rough
    return found, max_iter


def _inner(a: Matrix, b: Matrix) -> Matrix:
    product: Matrix = np.einsum("ij,ij->j", a, b)
    return product


def _ratio(a: Matrix, b: Matrix) -> Matrix:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
