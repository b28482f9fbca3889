"""Pipelines: which codes, and what clusters them; names checked, and what they assume.

Nothing here trains, and nothing heavy is imported.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.sklearn_names import meant
from ae_cluster.methods.entries import (
    BASELINE,
    BY_NAME,
    CLASSIFIER_BY_NAME,
    CLUSTERER,
    DEEP,
    DEFAULTS,
    SORTER,
    SORTERS,
)

AUTOENCODER, GIVEN = "autoencoder", "given"  # whose codes clusterers take
ALWAYS_BESIDE = ("pca", "untrained")
UNKNOWN = math.nan  # of a fact that only the author of a method could tell


class Pipeline(NamedTuple):
    """A representation and what clusters it.

    Attributes
    ----------
    features : str
        What makes the codes.
    clusterer : str
        What clusters them: a name of `METHODS`, or ``module:Class``.
    kept_as : str
        The folder under methods/ that keeps it; "" where only its scores are kept.
    """

    features: str
    clusterer: str
    kept_as: str = ""

    @property
    def method(self) -> str:
        """The clusterer as rows and folders name it."""
        return short_name(self.clusterer)

    @property
    def representation(self) -> str:
        """What its codes come from: a deep clustering moves those that it starts from."""
        return self.clusterer if kind_of(self.clusterer) == DEEP else self.features


def pipelines_of(methods: Sequence[str], features: str = AUTOENCODER) -> list[Pipeline]:
    """Return the pipelines that were asked for, and then the baselines they must beat.

    Codes that are not a clustering's own are clustered by all clusterers that
    were asked for, by the default ones where none was.
    """
    asked = [_asked_pipeline(name, features) for name in methods]
    plain = [name for name in methods if kind_of(name) == CLUSTERER] or list(DEFAULTS)
    beside = [
        Pipeline(codes, clusterer)
        for codes in _codes_beside(methods, features)
        for clusterer in plain
    ]
    kept = {pipeline[:2] for pipeline in asked}
    return asked + [pipeline for pipeline in beside if pipeline[:2] not in kept]


def _asked_pipeline(name: str, features: str) -> Pipeline:
    kept_as = short_name(name)
    if kind_of(name) == BASELINE:
        return Pipeline(name, "kmeans", kept_as)
    return Pipeline(name if kind_of(name) == SORTER else _codes_for(name, features), name, kept_as)


def _codes_for(name: str, features: str) -> str:
    """Return what a clusterer's codes are: a file's features as they are, or learnt of them."""
    return AUTOENCODER if features == AUTOENCODER or kind_of(name) == DEEP else GIVEN


def _codes_beside(methods: Sequence[str], features: str) -> Iterator[str]:
    if features == GIVEN:  # from what they were made is not known, so nothing can be made anew
        return
    yield from (name for name in methods if kind_of(name) == SORTER)
    if any(kind_of(name) == DEEP for name in methods):
        yield AUTOENCODER
    if features == AUTOENCODER or any(kind_of(name) in (SORTER, DEEP) for name in methods):
        yield from ALWAYS_BESIDE


def kind_of(name: str) -> str:
    """Return the kind of a method; a ``module:Class`` clusters codes."""
    return CLUSTERER if is_external(name) else BY_NAME[name].kind


def is_external(name: str) -> bool:
    """Return whether a name is ``module:Class``, by somebody else."""
    return ":" in name


def short_name(name: str) -> str:
    """Return the name that rows and folders have: of ``module:Class`` the class."""
    return name.rpartition(":")[2]


def check_methods(names: Sequence[str], features: str) -> None:
    """Raise an `InputError` for names that cannot be used, alone or together."""
    for name in names:
        if not is_external(name) and name not in BY_NAME:
            proposed = " or ".join(meant(name, BY_NAME))
            told = f"did you mean {proposed}?" if proposed else nearest(name, BY_NAME).rstrip(".")
            raise InputError(
                f"--method {name!r} is not known: {told} See: ae-cluster methods; any clusterer "
                "joins as module:Class."
            )
        if features == GIVEN and kind_of(name) != CLUSTERER:
            raise InputError(
                f"--method {name} makes codes of its own, so --features given has no use for it; "
                "leave --features out, and the file's numbers are taken as a table."
            )
        if is_external(name) and short_name(name) in BY_NAME:
            raise InputError(
                f"--method {name} would be taken for the method {short_name(name)} in every table; "
                "give the class another name."
            )
    folders = [short_name(name).lower() for name in names]  # some disks do not tell K from k
    for i, folder in enumerate(folders):
        if folder in folders[:i]:
            first = names[folders.index(folder)]
            raise InputError(
                f"--method {first} and --method {names[i]} would be kept under one name; leave "
                "one of them out, or run them apart."
            )


def check_samples(names: Sequence[str], features: str, data_name: str, is_table: bool) -> None:
    """Raise an `InputError` for methods that cannot take these samples."""
    if features == GIVEN and not is_table:
        raise InputError(
            f"--features given: {data_name} holds images, not codes; save the codes as an x of "
            "shape (n, numbers), or leave --features out."
        )
    for name in names:
        if is_table and not is_external(name) and BY_NAME[name].needs_images:
            raise InputError(
                f"--method {name} turns and shears images, and {data_name} is a table; take "
                f"--method {name.removesuffix('-images')}, or say what shape its images have with "
                "--image-shape HxW."
            )


def row_facts(features: str, clusterer: str, *, takes_k: bool = True) -> dict[str, Any]:
    """Return what a pipeline assumes, by the names of a row's columns.

    Parameters
    ----------
    features, clusterer : str
        As in `Pipeline`.
    takes_k : bool
        Of a ``module:Class``: whether its constructor has a number of clusters.
    """
    names = ("uses_k", "uses_balance", "uses_augmentation", "tuned_on")
    learner = BY_NAME.get(features if features in SORTERS else clusterer)
    if learner is not None:
        facts = {name: getattr(learner, name) for name in names}
    else:
        by_scikit_learn = clusterer.startswith("sklearn.")
        facts = {
            "uses_k": takes_k,
            "uses_balance": False if by_scikit_learn else UNKNOWN,
            "uses_augmentation": False,  # it sees codes, not samples
            "tuned_on": "nothing" if by_scikit_learn else "not known",
        }
    if features == GIVEN:
        facts |= {"uses_augmentation": UNKNOWN, "uses_balance": UNKNOWN, "tuned_on": "not known"}
    return facts


def classifier_facts(features: str, classifier: str) -> dict[str, Any]:
    """Return what a few-label classifier of these codes assumes beside balance, as `row_facts`.

    ``tuned_on`` names the data that chose settings of the classifier or of what made the codes.
    """
    facts = row_facts(features, features if features in BY_NAME else DEFAULTS[0])
    entry = CLASSIFIER_BY_NAME.get(classifier)
    return {
        "uses_k": True,  # as many as there are classes
        "uses_augmentation": (entry and entry.uses_augmentation) or facts["uses_augmentation"],
        "tuned_on": _together(entry.tuned_on if entry else "not known", facts["tuned_on"]),
    }


def _together(*tuned_on: str) -> str:
    """Return the data that several ``tuned_on`` name; a list that another one holds is left out."""
    longest = [
        said for said in tuned_on
        if said != "nothing" and not any(said in other for other in tuned_on if other != said)
    ]  # fmt: skip
    return ", ".join(dict.fromkeys(longest)) or "nothing"
