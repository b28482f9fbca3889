"""Signs that a code or a clustering has collapsed, found in arrays and said in plain words.

Every function is pure and takes milliseconds for 60,000 codes, so that a
training can ask after every epoch. `findings` asks all that the given arrays
can answer; whoever trains emits its sentences as `DiagnosticsWarning`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DEAD = 1e-3  # of the widest dimension's standard deviation
SATURATED = 0.99  # of the samples, within 1 % of the range from a bound
STUCK_LAYER = 0.9  # of a layer's units; half of a wide relu layer is idle in good health
DUPLICATE = 0.01  # of the codes' root mean squared distance from their mean
UNSURE = 1.05  # times 1 / k: what the surest cluster gets on average
NO_BETTER = 0.99  # of the mean image's squared error
NAMED = 5  # ids in a sentence
# Of a collapse: what a code no longer tells, and a decoder no longer draws.
CELL = 0.01  # of the widest spread: codes nearer than that are one
NEARLY_NO_BETTER = 0.95  # of the mean image's squared error
NARROW = 0.1  # widest spread beside the largest number in the codes
POINT = 3e-5  # likewise; codes so near to each other are as good as one, however many there are
FEW = 0.8  # distinct codes beside distinct samples
ROUNDING = 1e-6  # likewise; float32 has seven digits
HANDFUL = 0.1  # likewise, of an encoder that only knows a few corners


class DiagnosticsWarning(UserWarning):
    """A training goes on, but what it makes is collapsing; the message says how."""


HealthWarning = DiagnosticsWarning  # its older name


def findings(
    *,
    codes: Array | None = None,
    activations: Sequence[tuple[Array, float, float]] = (),
    clusters: Array | None = None,
    n_clusters: int | None = None,
    soft: Array | None = None,
    centers: Array | None = None,
    images: Array | None = None,
    reconstructions: Array | None = None,
) -> list[str]:
    """Return what is wrong as sentences; none when all is well.

    Parameters
    ----------
    codes : ndarray (n, n_components)
    activations : sequence of (ndarray (n, units), low, high)
        A layer's outputs and the bounds of its activation: −1 and 1 for tanh,
        0 and 1 for logistic, 0 and infinity for relu.
    clusters : ndarray (n,)
        With ``n_clusters``, how many there should be.
    soft : ndarray (n, k)
    centers : ndarray (k, n_components)
        In the space of ``codes``, which they need.
    images, reconstructions : ndarray (n, n_features)
        Belong together.
    """
    found: list[str] = []
    if codes is not None:
        found += _of_codes(codes)
        if centers is not None:
            found += _of_centers(centers, codes)
    for i, (layer, low, high) in enumerate(activations, start=1):
        found += _of_layer(i, layer, low, high)
    if clusters is not None and n_clusters is not None:
        found += _of_clusters(clusters, n_clusters)
    if soft is not None and is_unsure(soft):
        found.append("Every sample belongs to all clusters alike: the clustering says nothing.")
    if images is not None and reconstructions is not None:
        found += _of_reconstructions(images, reconstructions)
    return found


def collapse(codes: Array, images: Array, reconstructions: Array) -> str:
    """Return how an autoencoder has collapsed, as a sentence; "" when it has not.

    Each sign by itself is also seen in good health: errors as large as the mean
    image's where there is little to draw (noise, a few bright pixels), a narrow code
    early in a training that is still to leave its first plateau, few distinct codes
    where the samples are in tight groups. A collapse has several at once.

    Parameters
    ----------
    codes : ndarray (n, n_components)
    images, reconstructions : ndarray (n, n_features)
        Of the same samples, as the network takes and gives them.
    """
    n_samples, n_codes = len({row.tobytes() for row in images}), distinct_codes(codes)
    if n_samples < 2:
        return ""
    if n_codes == 1:
        return "All samples have the same code."
    ratio = error_beside_mean_image(images, reconstructions)
    is_handful = n_codes <= max(2, HANDFUL * n_samples) and n_codes < n_samples
    is_narrow = relative_spread(codes) <= NARROW and n_codes <= FEW * n_samples
    if ratio >= NEARLY_NO_BETTER and relative_spread(codes) <= POINT:
        return (
            f"The codes of {n_samples:,} different samples differ by {relative_spread(codes):.0e} "
            f"of their size, and samples are drawn from them with {ratio:.2f} of the mean image's "
            "error."
        )
    if ratio >= NEARLY_NO_BETTER and (is_handful or is_narrow):
        return (
            f"{n_samples:,} different samples have {n_codes:,} distinct codes, and are drawn "
            f"from them with {ratio:.2f} of the mean image's error."
        )
    return ""


def collapse_message(found: str) -> str:
    """Return what `collapse` found, and the way out."""
    return (
        f"{found[0].lower()}{found[1:-1]}: most likely learning_rate_init is too large, so lower "
        "it (--learning-rate-init)."
    )


def few_codes(codes: Array, n_clusters: int | None) -> str:
    """Return how learnt codes (n, n_components) alone show a collapse, as a sentence; or "".

    For codes whose samples are not at hand: only what no healthy training leaves.
    """
    n_codes, least = len({row.tobytes() for row in codes}), max(2, n_clusters or 0)
    if n_codes < least:
        return f"{len(codes):,} samples have {n_codes:,} distinct code{'s' * (n_codes != 1)}."
    if relative_spread(codes) <= ROUNDING:
        return f"The codes of {len(codes):,} samples differ by rounding errors only."
    return ""


# ------------------------------------------------------------------- the signs


def distinct_codes(codes: Array) -> int:
    """Return how many codes differ by more than a hundredth of the widest spread."""
    widest = float(codes.std(axis=0).max())
    if widest == 0 or relative_spread(codes) <= ROUNDING:
        return 1
    return len(np.unique(np.round(codes / (CELL * widest)), axis=0))


def relative_spread(codes: Array) -> float:
    """Return the widest dimension's standard deviation over the codes' largest number."""
    codes = codes.astype(np.float64)
    largest = float(np.abs(codes).max())
    return float(codes.std(axis=0).max()) / largest if largest else 0.0


def dead_dimensions(codes: Array) -> list[int]:
    """Return the columns of codes (n, n_components) that are as good as constant."""
    spread, size = codes.std(axis=0), np.abs(codes).max(axis=0)
    return np.flatnonzero(spread <= np.maximum(DEAD * spread.max(), 1e-6 * size)).tolist()


def saturated_units(layer: Array, low: float, high: float) -> list[int]:
    """Return the units of a layer (n, units) that sit at one bound for nearly all samples."""
    margin = 0.01 * (high - low) if np.isfinite(high - low) else 0.0
    at_low, at_high = (layer <= low + margin).mean(axis=0), (layer >= high - margin).mean(axis=0)
    return np.flatnonzero(np.maximum(at_low, at_high) >= SATURATED).tolist()


def empty_clusters(clusters: Array, n_clusters: int) -> list[int]:
    """Return the ids below ``n_clusters`` that no sample has."""
    return np.flatnonzero(_sizes(clusters, n_clusters) == 0).tolist()


def dominant_cluster(clusters: Array, n_clusters: int) -> tuple[int, float] | None:
    """Return a cluster that holds most samples, and its share; None where there is none.

    Most is more than half and more than four fair shares (but .95 is always too much).
    """
    shares = _sizes(clusters, n_clusters) / len(clusters)
    largest = int(shares.argmax())
    limit = min(0.95, max(0.5, 4 / n_clusters))
    return (largest, float(shares[largest])) if n_clusters > 1 and shares[largest] > limit else None


def effective_clusters(clusters: Array) -> float:
    """Return how many equal clusters would be as uneven: the exponential of the entropy."""
    shares = np.unique(clusters[clusters >= 0], return_counts=True)[1] / len(clusters)
    return float(np.exp(-(shares * np.log(shares)).sum()))


def duplicate_clusters(centers: Array, codes: Array) -> list[tuple[int, int]]:
    """Return the pairs of centers (k, n_components) that stand at the same place among codes."""
    spread = np.sqrt(codes.var(axis=0).sum())
    distances = np.linalg.norm(centers[:, None] - centers[None], axis=2)
    first, second = np.nonzero(np.triu(distances <= DUPLICATE * spread, k=1))
    return list(zip(first.tolist(), second.tolist(), strict=True))


def is_unsure(soft: Array) -> bool:
    """Return whether the memberships (n, k) hardly differ between the clusters."""
    k = soft.shape[1]
    return bool(k > 1 and soft.max(axis=1).mean() < UNSURE / k)


def error_beside_mean_image(images: Array, reconstructions: Array) -> float:
    """Return the squared error over that of the mean image; 0 where all images are one."""
    of_mean_image = float(images.var(axis=0).mean())
    if of_mean_image == 0:
        return 0.0
    return float(np.square(reconstructions - images).mean()) / of_mean_image


def _sizes(clusters: Array, n_clusters: int) -> NDArray[np.intp]:
    return np.bincount(clusters[clusters >= 0], minlength=n_clusters)[:n_clusters]


# --------------------------------------------------------------- the sentences


def _of_codes(codes: Array) -> Iterator[str]:
    dead = dead_dimensions(codes)
    if len(dead) == codes.shape[1]:
        yield "All samples have the same code: the encoder tells nothing apart."
    elif dead:
        yield f"{_named('code dimension', dead)} the same for every sample (dead)."


def _of_layer(i: int, layer: Array, low: float, high: float) -> Iterator[str]:
    stuck = len(saturated_units(layer, low, high))
    if stuck > STUCK_LAYER * layer.shape[1]:
        yield (
            f"Hidden layer {i} is saturated: {stuck} of its {layer.shape[1]} units say the same "
            "for nearly every sample; lower learning_rate_init."
        )


def _of_clusters(clusters: Array, n_clusters: int) -> Iterator[str]:
    empty = empty_clusters(clusters, n_clusters)
    if empty:
        yield f"{_named('cluster', empty)} empty, of {n_clusters} asked for."
    dominant = dominant_cluster(clusters, n_clusters)
    if dominant:
        yield f"Cluster {dominant[0]} holds {dominant[1]:.0%} of all samples."


def _of_centers(centers: Array, codes: Array) -> Iterator[str]:
    pairs = duplicate_clusters(centers, codes)
    if pairs:
        said = ", ".join(f"{i} and {j}" for i, j in pairs[:NAMED])
        more = f" and {len(pairs) - NAMED} pairs more" if len(pairs) > NAMED else ""
        yield f"Clusters {said}{more} have the same center (duplicates)."


def _of_reconstructions(images: Array, reconstructions: Array) -> Iterator[str]:
    ratio = error_beside_mean_image(images, reconstructions)
    if ratio >= NO_BETTER:
        yield (
            f"Reconstructions are no better than the mean image ({ratio:.2f} of its squared "
            "error): the code is not used."
        )


def _named(what: str, ids: list[int]) -> str:
    """Return "Cluster 3 is" or "Clusters 3, 4 and 7 are"."""
    if len(ids) == 1:
        return f"{what.capitalize()} {ids[0]} is"
    if len(ids) > NAMED:
        return f"{len(ids)} {what}s ({', '.join(map(str, ids[:NAMED]))}, …) are"
    return f"{what.capitalize()}s {', '.join(map(str, ids[:-1]))} and {ids[-1]} are"
