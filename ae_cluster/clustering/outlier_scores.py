"""What clusterings that learn codes have in common: how far out a sample lies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from ae_cluster.clustering.outliers import OutlierScore, in_unit
from ae_cluster.common.errors import InputError
from ae_cluster.common.global_state import default_state

if TYPE_CHECKING:
    from torch import Tensor

_PREFIX = "outliers."  # of its arrays in a file


def seen_by(model: Any) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return what turns rows into what a fitted model's network is fed."""
    import torch

    from ae_cluster.autoencoder.inference import as_tensor
    from ae_cluster.autoencoder.scaling import UNIT

    scaling = getattr(model, "autoencoder_", model).scaling_
    if scaling.kind == UNIT and scaling.dtype == torch.float32:
        return in_unit
    return lambda rows: scaling(as_tensor(rows)).cpu().numpy()


class ScoresOutliers:
    """An estimator that says of each sample which share of the training samples lies farther out.

    Attributes
    ----------
    outliers_ : OutlierScore or None
        Of the training samples; None in a model that an earlier version saved.
    """

    outliers_: OutlierScore | None

    @default_state()
    def score_samples(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return which share of the training samples lies farther out than each sample (n,).

        As everywhere in scikit-learn, the lower, the more abnormal: 0 is farther out than any
        training sample, 1 nearer than all. Measured is how far a sample lies from groups of
        training samples, not its code; see `ae_cluster.clustering.outliers`.

        Raises
        ------
        InputError
            For data that are not like the training samples, and of a model that an earlier
            version saved.
        """
        from ae_cluster.autoencoder.inputs import validate_samples

        check_is_fitted(self, "labels_")
        rows = validate_samples(getattr(self, "autoencoder_", self), X, reset=False)
        if self.outliers_ is None:
            raise InputError(
                f"This {type(self).__name__} was saved by an earlier version, which kept no score "
                "of outliers; fit it again."
            )
        return self.outliers_.shares(rows, seen_by(self))

    def _learn_outliers(self, rows: NDArray[Any]) -> None:
        self.outliers_ = OutlierScore.fit(rows, seen_by(self))

    def _outlier_tensors(self) -> dict[str, Tensor]:
        import torch

        arrays = {} if self.outliers_ is None else self.outliers_.arrays()
        return {f"{_PREFIX}{name}": torch.from_numpy(array) for name, array in arrays.items()}

    def _restore_outliers(self, tensors: dict[str, Tensor], n_features: int) -> None:
        """Take back, out of a file's tensors, what `_outlier_tensors` gave."""
        names = [name for name in tensors if name.startswith(_PREFIX)]
        arrays = {name.removeprefix(_PREFIX): tensors.pop(name).numpy() for name in names}
        self.outliers_ = OutlierScore.from_arrays(arrays, n_features) if arrays else None
