"""A short list of numbers of clusters, from all evidence together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ae_cluster.clustering.number_of_clusters.evidence import EVIDENCE, Scores
from ae_cluster.clustering.number_of_clusters.representation import represent
from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state
from ae_cluster.common.progress import counted
from ae_cluster.common.stage_times import stage
from ae_cluster.common.table_options import AUTO
from ae_cluster.common.validation import checked_codes

WEIGHTS = {"bic": 2.0}  # of the others 1; chosen on the benchmark's tuning half
BESIDE = 0.5  # share of its votes that a number gives to those beside it; likewise
LEAST_SAMPLES = 10
MOST_SAMPLES = 2000
MOST_CLUSTERS = 30
LEAST_LISTED, MOST_LISTED = 3, 5
WORTH_LISTING = 0.5  # of the first's score
CAN_SAY_NONE = ("bic", "information", "gap")  # those that score one cluster too
LEAST_SAYING_NONE = 2


@dataclass(frozen=True)
class Candidate:
    """A number of clusters and what speaks for it.

    Attributes
    ----------
    n_clusters : int
    score : float
        0 to 1: its share of the votes that it could have, of `combined`.
    ranks : dict of str to int
        Its rank in each kind of evidence, 1 the best; absent where that kind does not score it.
    """

    n_clusters: int
    score: float
    ranks: dict[str, int]


@dataclass(frozen=True)
class Suggestion:
    """What `suggest_n_clusters` found.

    Attributes
    ----------
    n_clusters : int
        The first of the list; 1 where there is no structure.
    candidates : tuple of Candidate
        Three to five where there are so many, the best first; a number beside a better one is
        not listed.
    evidence : dict of str to dict of int to float
        The score that each kind of evidence gives each number of clusters.
    sure : str
        How sure it is, in a sentence.
    n_samples : int
        Samples that were looked at.
    """

    n_clusters: int
    candidates: tuple[Candidate, ...]
    evidence: dict[str, Scores]
    sure: str
    n_samples: int

    @property
    def has_structure(self) -> bool:
        """Whether anything speaks for more than one cluster."""
        return self.n_clusters > 1


@default_state()
@stage("number of clusters")
def suggest_n_clusters(
    X: ArrayLike,
    *,
    max_clusters: int | None = None,
    max_samples: int = MOST_SAMPLES,
    random_state: int = 0,
    verbose: bool = False,
) -> Suggestion:
    """Return a ranked short list of numbers of clusters; no label is seen.

    Six kinds of evidence each rank the numbers from 2 to ``max_clusters``, and each gives its
    first the most votes, its second fewer, and so on; BIC counts twice. Numbers beside each other
    support each other, and of those only the best is listed.

    Parameters
    ----------
    X : array (n, n_features) or (n, h, w) or (n, h, w, channels)
        Samples, compared by Euclidean distance as they are: standardise columns that are in
        units of their own.
    max_clusters : int, optional
        By default the root of the number of samples, at least 4 and at most 30.
    max_samples : int, default=2000
        Of more samples so many are drawn at random.
    random_state : int, default=0
    verbose : bool, default=False
        Show how far it has come.

    Raises
    ------
    InputError
        For fewer than ten samples, samples that are not finite, or a limit that cannot be.

    References
    ----------
    Cormack, Clarke and Büttcher, "Reciprocal rank fusion" (2009).

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> X, _ = make_blobs(300, 10, centers=4, random_state=0)
    >>> suggest_n_clusters(X).n_clusters
    4
    """
    rows = _checked(X, max_samples, random_state)
    most = _most_clusters(max_clusters, rows)
    found = represent(rows, most, random_state)
    steps = counted(list(EVIDENCE), "number of clusters", "step") if verbose else EVIDENCE
    evidence = {name: EVIDENCE[name](found, random_state) for name in steps}
    return _suggested(evidence, most, len(rows))


def resolved(
    n_clusters: int | str, rows: NDArray[Any], scaled: Callable[[Any], ArrayLike], seed: int
) -> int:
    """Return the number of clusters that a parameter stands for, which may be "auto".

    Parameters
    ----------
    n_clusters : int or "auto"
    rows : ndarray (n, n_features)
    scaled : callable
        Takes some of them; returns them as they are to be compared.
    """
    if n_clusters != AUTO:
        return int(n_clusters)
    some = np.sort(np.random.RandomState(seed).permutation(len(rows))[:MOST_SAMPLES])
    return suggest_n_clusters(scaled(rows[some]), random_state=seed).n_clusters


def _checked(X: ArrayLike, max_samples: int, seed: int) -> NDArray[np.float64]:
    array = np.asarray(X)
    rows = checked_codes(array.reshape(len(array), -1) if array.ndim > 2 else array, "X")
    if max_samples < LEAST_SAMPLES:
        raise InputError(f"max_samples={max_samples} is too few; allow at least {LEAST_SAMPLES}.")
    if len(rows) > max_samples:
        rows = rows[np.sort(np.random.RandomState(seed).permutation(len(rows))[:max_samples])]
    if len(rows) < LEAST_SAMPLES:
        raise InputError(
            f"How many clusters {len(rows)} samples have cannot be told; give at least "
            f"{LEAST_SAMPLES}, or say the number."
        )
    return rows.astype(np.float64)


def _most_clusters(said: int | None, rows: NDArray[np.float64]) -> int:
    n = len(rows)
    if said is not None and not 2 <= said <= n // 2:
        raise InputError(
            f"max_clusters={said} cannot be used on {n} samples; give a number from 2 to {n // 2}."
        )
    most = said or min(MOST_CLUSTERS, max(4, round(n**0.5)))
    n_distinct = len(np.unique(rows, axis=0))
    if n_distinct < LEAST_SAMPLES:
        raise InputError(
            f"Only {n_distinct} of {n} samples are distinct: too few to tell how many clusters "
            "there are; say the number."
        )
    return min(most, n_distinct // 2)


def _suggested(evidence: dict[str, Scores], most: int, n_samples: int) -> Suggestion:
    listed = _short_list(combined(evidence, most))
    against = _saying_none(evidence)
    none = len(against) >= LEAST_SAYING_NONE
    sure = _no_structure(against) if none else _how_sure(listed, evidence)
    first = 1 if none else listed[0].n_clusters
    return Suggestion(first, tuple(listed), evidence, sure, n_samples)


def combined(evidence: dict[str, Scores], most: int) -> list[Candidate]:
    """Return all numbers from 2 to ``most`` by the sum of their votes, the best first.

    Each kind of evidence gives a number 2 / (1 + rank) votes, and a number gets half of the votes
    of those beside it: where 9, 10 and 11 share the votes, 10 is first.
    """
    of_kinds = {name: _ranks(scores) for name, scores in evidence.items()}
    votes = np.zeros(most + 2)
    for name, of_kind in of_kinds.items():
        for k, rank in of_kind.items():
            votes[k] += WEIGHTS.get(name, 1.0) * 2 / (1 + rank)
    votes[1:-1] += BESIDE * (votes[:-2] + votes[2:])
    all_of_them = (1 + 2 * BESIDE) * sum(WEIGHTS.get(name, 1.0) for name in evidence)
    candidates = [
        Candidate(
            k, float(votes[k] / all_of_them), {name: r[k] for name, r in of_kinds.items() if k in r}
        )
        for k in range(2, most + 1)
    ]
    return sorted(candidates, key=lambda c: -c.score)  # of equal ones the smaller number first


def _short_list(candidates: list[Candidate]) -> list[Candidate]:
    """Return three to five, none beside a better one, which stands for it."""
    listed: list[Candidate] = []
    for candidate in candidates:
        is_apart = all(abs(candidate.n_clusters - c.n_clusters) > 1 for c in listed)
        is_worth = not listed or candidate.score >= WORTH_LISTING * listed[0].score
        if is_apart and (len(listed) < LEAST_LISTED or is_worth) and len(listed) < MOST_LISTED:
            listed.append(candidate)
    return listed


def _ranks(scores: Scores) -> dict[int, int]:
    """Return the rank of each number of clusters from 2 up, 1 the best."""
    ordered = sorted((k for k in scores if k > 1), key=lambda k: (-scores[k], k))
    return {k: i + 1 for i, k in enumerate(ordered)}


def _saying_none(evidence: dict[str, Scores]) -> list[str]:
    """Return the kinds of evidence that speak for a single cluster.

    Of the gap statistic, one cluster is enough where two are no better: its own rule.
    """
    found = [name for name in CAN_SAY_NONE if _best(evidence[name]) == 1]
    if "gap" not in found and evidence["gap"][1] >= evidence["gap"].get(2, -np.inf):
        found.append("gap")
    return found


def _best(scores: Scores) -> int:
    return min(scores, key=lambda k: (-scores[k], k))


def _no_structure(against: list[str]) -> str:
    return (
        f"No structure: {_listed(against)} speak for a single cluster, and any other number "
        "would cut through one cloud."
    )


def _how_sure(listed: list[Candidate], evidence: dict[str, Scores]) -> str:
    """Return how many kinds of evidence agree on the first, and what to do about it."""
    first = listed[0].n_clusters
    near = [name for name in evidence if abs(_favourite(evidence[name]) - first) <= 1]
    told = (
        f"{len(near)} of {len(evidence)} kinds of evidence have {first} or a neighbour of it first"
    )
    if len(near) >= 5:
        return f"Sure: {told}."
    others = " and ".join(str(c.n_clusters) for c in listed[1:3])
    if len(near) >= 3:
        return f"Likely: {told}; look at {others} too."
    return f"Unsure: only {told}; look at {others} as well before believing one."


def _favourite(scores: Scores) -> int:
    return _best({k: v for k, v in scores.items() if k > 1})


def _listed(names: list[Any]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
