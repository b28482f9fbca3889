"""Numbers by others for pipelines that are also ours, to stand beside them in tables.

`LITERATURE` holds only what truly matches: the same data set, input, size of code
and clusterer, and where a network is trained, the same network for as long. A
famous number by another network does not belong there; some of these stand in
`PUBLISHED`, with what makes them unlike ours, and of few labels in
`PUBLISHED_FEW_LABELS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ae_cluster.common.numbers import number
from ae_cluster.methods import FINETUNED, FROZEN


class LiteratureScore(NamedTuple):
    """A number by others.

    Attributes
    ----------
    scores : dict of str to (float, float)
        Lowest and highest value reported, by the name papers use: ACC (what
        our rows call ``accuracy_matched``) and NMI.
    scored : str
        The samples: ``"test"``, ``"train"`` or ``"all"``, which is both as one.
    kind : str
        ``"measured"`` by us with the original's code, ``"published"``, or
        ``"memory"``: quoted from memory, to be checked.
    source : str
        Where it comes from.
    conditions : dict of str to float
        Columns of a row that must have these values, lest unlike things be
        compared.
    """

    scores: Mapping[str, tuple[float, float]]
    scored: str
    kind: str
    source: str
    conditions: Mapping[str, float]


_TUTORIAL = "the tutorial's own loop, 10 epochs, one run"
_TUTORIAL_CONDITIONS = {"n_clusters": 10, "n_train": 60_000, "epochs": 10}

# By data set, method, features and n_components.
LITERATURE: dict[tuple[str, str, str, float], LiteratureScore] = {
    ("mnist", "kmeans", "autoencoder", 3): LiteratureScore(
        {"ACC": (0.465, 0.465), "NMI": (0.479, 0.479)},
        "test",
        "measured",
        _TUTORIAL,
        _TUTORIAL_CONDITIONS,
    ),
    ("mnist", "gmm", "autoencoder", 3): LiteratureScore(
        {"ACC": (0.475, 0.475), "NMI": (0.490, 0.490)},
        "test",
        "measured",
        _TUTORIAL,
        _TUTORIAL_CONDITIONS,
    ),
    ("mnist", "kmeans", "pixels", 784): LiteratureScore(
        {"ACC": (0.53, 0.55), "NMI": (0.50, 0.50)},
        "all",
        "published",
        "several papers",
        {"n_clusters": 10, "n_train": 60_000},
    ),
}


class Published(NamedTuple):
    """What another pipeline reaches by its authors' or our account: not the same thing as any row.

    Attributes
    ----------
    dataset, pipeline : str
    code_size : str
        Numbers per sample that are clustered.
    image_prior : str
        What it knows of images beside the pixels: "none", or the changes to an
        image that it is told to disregard.
    scored : str
        As in `LiteratureScore`.
    acc, nmi : str
        "" where not told.
    source : str
        Where it comes from, and "measured" where that is us.
    """

    dataset: str
    pipeline: str
    code_size: str
    image_prior: str
    scored: str
    acc: str
    nmi: str
    source: str


PUBLISHED = (
    Published("mnist", "the tutorial autoencoder, ClustPy's DEC · IDEC · DCN", "3", "none", "test",
              ".422 · .467 · .499", ".396 · .522 · .540", "measured, one run each"),
    Published("mnist", "UMAP of the pixels → KMeans · GMM", "3", "none", "train",
              ".819 · .968", ".857 · .919", "measured, one run"),
    Published("mnist", "autoencoder → KMeans", "10", "none", "all", ".82–.88", ".75–.81",
              "DEC-keras"),
    Published("mnist", "DEC · VaDE", "10", "none", "all", ".84 · .945", ".83 · .88",
              "their papers"),
    Published("mnist", "N2D: autoencoder → UMAP → GMM", "10", "none", "all", ".979", ".942",
              "its paper; users re-ran .836"),
    Published("mnist", "IMSAT · ConvDEC-DA · DynAE", "10", "affine", "all", ".984 · .985 · .987",
              "– · .960 · .964", "their papers"),
    Published("mnist", "IIC, head picked by its loss", "10", "affine", "all", ".992", ".978",
              "its paper; 5.7 GPU-days"),
    Published("fashion-mnist", "N2D: autoencoder → UMAP → GMM", "10", "none", "all", ".672",
              ".684", "its paper"),
    Published("fashion-mnist", "RL-DAC", "10", "affine", "all", ".752", ".707", "its paper"),
)  # fmt: skip


class FewLabels(NamedTuple):
    """What another pipeline reaches with a few labels, by its authors' account.

    Attributes
    ----------
    dataset, pipeline : str
    family : str
        `FROZEN` or `FINETUNED`, as of our own methods.
    percent : dict of int to str
        Accuracy on the test samples by labels per class, ± one standard deviation where told.
    source : str
        Where it comes from, and what was beside the labels.
    """

    dataset: str
    pipeline: str
    family: str
    percent: Mapping[int, str]
    source: str


_POISSON = "Poisson learning's paper (ICML 2020), 100 draws, kNN graph on VAE codes"
PUBLISHED_FEW_LABELS = (
    FewLabels("mnist", "Laplace label propagation", FROZEN,
              {1: "16.1 ± 6", 2: "28.2", 5: "69.5", 10: "91.3"}, _POISSON),
    FewLabels("mnist", "Poisson learning", FROZEN,
              {1: "90.2 ± 4.0", 2: "93.6", 5: "95.3", 10: "95.9"}, _POISSON),
    FewLabels("mnist", "PoissonMBO", FROZEN,
              {1: "96.5 ± 2.6", 2: "97.2", 5: "97.2", 10: "97.2"},
              f"{_POISSON}; told the true class shares"),
    FewLabels("mnist", "clusters named by the labels", FROZEN,
              {1: "95.4 ± 7.1 (10th percentile 79.7)", 2: "97.9", 5: "97.9", 10: "97.9"},
              "derived from a published embedding, 200 draws"),
    FewLabels("mnist", "CNN regularised by parametric UMAP", FINETUNED,
              {4: "97.85"}, "its paper"),
    FewLabels("mnist", "M1+M2", FINETUNED, {10: "96.7"}, "its paper"),
    FewLabels("mnist", "VAT", FINETUNED, {10: "98.6"}, "its paper"),
    FewLabels("mnist", "Ladder network", FINETUNED, {5: "98.4", 10: "98.9"},
              "its paper"),
    FewLabels("mnist", "Ladder network + NP", FINETUNED, {5: "98.9", 10: "99.1"},
              "its paper"),
)  # fmt: skip

# Papers match clusters and classes on the scored samples, our accuracy on the training samples;
# the text names the score, so that nobody takes the one for the other.
_NAMES_IN_PAPERS = {"accuracy": "ACC", "accuracy_matched": "ACC", "nmi": "NMI"}


def find_literature(
    dataset: str, method: str, features: str, n_components: float, split: str
) -> LiteratureScore | None:
    """Return the number by others for this pipeline, scored on this split or on all samples."""
    reference = LITERATURE.get((dataset, method, features, n_components))
    return reference if reference is not None and reference.scored in (split, "all") else None


def literature_text(reference: LiteratureScore, score: str) -> str:
    """Return a reference's value for one of our scores as text; "" where it has none.

    >>> literature_text(LITERATURE["mnist", "kmeans", "pixels", 784], "accuracy")
    'ACC 0.53–0.55 (published, all)'
    """
    name = _NAMES_IN_PAPERS.get(score, "")
    if name not in reference.scores:
        return ""
    low, high = (number(value).removesuffix("0") for value in reference.scores[name])
    value = low if low == high else f"{low}–{high}"
    return f"{name} {value} ({reference.kind}, {reference.scored})"


# ACC by others at a number of components, and where from; papers scored all images as one.
OF_DEEP = {
    (10, "kmeans"): ".82–.88 (published, DEC-keras, all)",
    (10, "dec"): ".84 (published, all)",
    (10, "idec"): ".88 (memory, all)",
    (10, "dcn"): ".83 (memory, all)",
    (10, "vade"): ".945 (published, all)",
    (10, "n2d"): ".979 (published, all; users re-ran .836)",
    (3, "kmeans"): ".465 (the tutorial, measured, test)",
    (3, "dec"): ".422 (ClustPy, measured, test)",
    (3, "idec"): ".467 (ClustPy, measured, test)",
    (3, "dcn"): ".499 (ClustPy, measured, test)",
}
