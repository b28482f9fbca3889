"""Claim: trained 3-D codes cluster better than PCA's or an untrained encoder's, and how well.

KMeans and GMM on the codes of the tutorial autoencoder, beside the baselines:
all pixels, three principal components, and the encoder before training. Rows of
every seed go to results/, and for the first seed what the clusters hold; a grid
that was killed goes on where it stopped. Without the sorting codes about a minute for
digits and twenty for MNIST with two jobs; with them hours.

    python -m experiments.compare_clustering --dataset mnist --seeds 10 --jobs 2

No GMM on pixels: ten full covariances of 784 columns are no baseline but a
matter of regularisation. ``sorting-fast``, ``sorting`` and ``sorting-images`` are the codes of
`ae_cluster.SortingAutoEncoder`, which knows the number of clusters; half a minute, a minute
and a half and twelve minutes a seed of MNIST on one core. ``--features sorting`` does those only.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ae_cluster.common.terminal import exit_code
from experiments.support.arguments import carry_out, grid_parser, prepare, seeds_and_epochs
from experiments.support.cells import VERSION, clusters_of, codes_of, data_of, make_cell
from experiments.support.figure_data import keep_pictured
from experiments.support.store import Cell, Store, cell_key

QUICK_PIPELINES = (
    ("autoencoder", "kmeans"),
    ("autoencoder", "gmm"),
    ("pca", "kmeans"),
    ("pca", "gmm"),
    ("untrained", "kmeans"),
    ("untrained", "gmm"),
    ("pixels", "kmeans"),
)
PIPELINES = (
    *QUICK_PIPELINES,
    ("sorting-fast", "kmeans"),
    ("sorting-fast", "gmm"),
    ("sorting", "kmeans"),
    ("sorting", "gmm"),
    ("sorting-images", "kmeans"),
    ("sorting-images", "gmm"),
)
PICTURED = (("autoencoder", "kmeans"), ("sorting", "kmeans"))


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the grid and return the exit code."""
    parser = grid_parser(__doc__)
    parser.add_argument(
        "--features", action="append", choices=sorted({pipeline[0] for pipeline in PIPELINES}),
        help="carry out these only, and write what is there of the others; again for more",
    )  # fmt: skip
    arguments = parser.parse_args(argv)
    datasets = prepare(arguments)
    seeds, epochs = seeds_and_epochs(arguments)
    cells = [
        make_cell(dataset, features, method, seed, epochs=epochs, n_clusters=arguments.n_clusters)
        for dataset in datasets
        for seed in seeds
        for features, method in pipelines_of(data_of(dataset).image_shape)
    ]
    wanted = arguments.features
    chosen = [cell for cell in cells if wanted is None or cell["features"] in wanted]
    code = carry_out(chosen, arguments, "compare_clustering", shown=cells if wanted else None)
    keep_first_seed(cells, Store(arguments.store), arguments.out / "arrays")
    return code


def pipelines_of(image_shape: tuple[int, ...] | None) -> list[tuple[str, str]]:
    """Return the pipelines that data allow: an image prior asks for images."""
    return [pipeline for pipeline in PIPELINES if image_shape or pipeline[0] != "sorting-images"]


def keep_first_seed(cells: Sequence[Cell], store: Store, folder: Path) -> None:
    """Keep what the figures of the first seed's clusters of trained codes are drawn from."""
    statuses = store.statuses()
    for cell in cells:
        data = data_of(cell["dataset"])
        is_done = statuses.get(cell_key(cell, data.fingerprint, VERSION)) == "ok"
        is_pictured = (cell["features"], cell["method"]) in PICTURED
        if is_done and cell["seed"] == 0 and is_pictured:
            codes, clustering = codes_of(cell, store), clusters_of(cell, store)
            name = f"{Path(cell['dataset']).stem}-{cell['features']}-{cell['method']}.npz"
            keep_pictured(data, codes["test"], clustering, folder / name)


if __name__ == "__main__":
    sys.exit(exit_code(main))
