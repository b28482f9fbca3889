"""scikit-learn's clusterers by the names that people type: proposed, never taken by themselves."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_CLUSTER, _MIXTURE = "sklearn.cluster:", "sklearn.mixture:"
# Class → the other words for it, in lower case, letters and digits only.
CLASSES = {
    f"{_CLUSTER}AffinityPropagation": ("affinity", "ap"),
    f"{_CLUSTER}AgglomerativeClustering": (
        "agglomerative", "agglo", "ward", "wards", "hierarchical", "hac", "ahc", "linkage",
        "singlelinkage", "completelinkage", "averagelinkage", "wardlinkage", "dendrogram",
    ),
    f"{_CLUSTER}Birch": (),
    f"{_CLUSTER}BisectingKMeans": ("bisecting", "bisectkmeans", "bkmeans"),
    f"{_CLUSTER}DBSCAN": (),
    f"{_CLUSTER}HDBSCAN": (),
    f"{_CLUSTER}MeanShift": ("mean", "shift"),
    f"{_CLUSTER}OPTICS": (),
    f"{_CLUSTER}SpectralClustering": ("spectral", "normalizedcuts", "ncut", "ncuts"),
    f"{_MIXTURE}BayesianGaussianMixture": (
        "bayesian", "bayesiangmm", "bgm", "bgmm", "vbgmm", "variationalgmm", "dpgmm",
        "dirichletprocess",
    ),
}  # fmt: skip
# Ours under another name.
OURS = {
    "kmeans": ("kmean", "kmeanspp", "kmeansplusplus", "lloyd", "sklearnclusterkmeans"),
    "minibatch-kmeans": ("minibatch", "mbkmeans", "sklearnclusterminibatchkmeans"),
    "gmm": ("gm", "gaussianmixture", "gaussian", "mixture", "mixtureofgaussians", "em", "mog"),
    "pixels": ("raw", "rawpixels"),
}
_CLOSE, _CLOSE_TO_OURS = 0.75, 0.5  # shares of letters alike, from which a name is proposed


def meant(name: str, known: Iterable[str]) -> list[str]:
    """Return what a method's name, unknown as it stands, most likely means: best first.

    Parameters
    ----------
    name : str
        As typed: "hdbscan", "sklearn.cluster.HDBSCAN", "mean shift".
    known : iterable of str
        The methods known by name.

    Returns
    -------
    list of str
        At most three, of ``known`` or as ``module:Class``; one where the words are clear.
    """
    ours = sorted(known)
    words = {_bare(text): text for text in ours} | _words_for(ours)
    typed = _bare(name)
    for text in (typed, typed.removesuffix("clustering"), typed.removesuffix("clusterer")):
        if text in words:
            return [words[text]]
    alike: dict[str, float] = {}
    for text, what in [*words.items(), *((text, text) for text in ours)]:
        ratio = difflib.SequenceMatcher(None, typed, text).ratio()
        if ratio >= (_CLOSE_TO_OURS if what in ours else _CLOSE):
            alike[what] = max(ratio, alike.get(what, 0.0))
    return sorted(alike, key=lambda what: (-alike[what], what))[:3]


def class_meant(name: str) -> str:
    """Return the ``module:Class`` that a name means; "" where it is not clear."""
    found = meant(name, ())
    return found[0] if len(found) == 1 else ""


def _words_for(ours: Iterable[str]) -> dict[str, str]:
    """Return word → what it stands for, where that can be had."""
    theirs = {_bare(place): place for place in CLASSES}
    more = {word: place for place, words in CLASSES.items() for word in words}
    own = {word: name for name, words in OURS.items() if name in ours for word in words}
    return theirs | more | own


def _bare(name: str) -> str:
    """Return the last part of a name without case, signs and spaces."""
    last = re.split(r"[.:]", name.strip().lower().rstrip(".:"))[-1]
    return re.sub(r"[^a-z0-9]", "", last.replace("++", "pp"))
