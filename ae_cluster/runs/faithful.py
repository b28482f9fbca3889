"""How faithful the codes of a data set's samples are, on samples as the methods saw them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ae_cluster.common.scaling import ColumnScaling
from ae_cluster.common.stage_times import stage
from ae_cluster.datasets import Dataset
from ae_cluster.metrics.faithfulness import Neighborhoods, evaluation_sample

Scores = dict[str, float]


class FaithfulTo:
    """Scores codes of both splits of a data set, one set after another.

    Images are compared in [0, 1], tables scaled. The samples of a split that are looked at,
    and which of them are near, are found once; codes that are asked for again, by the next
    clusterer for one, are not scored again.

    Parameters
    ----------
    data : Dataset
    scaling : ColumnScaling or None
        Of a table.
    """

    def __init__(self, data: Dataset, scaling: ColumnScaling | None) -> None:
        self._data, self._scaling = data, scaling
        self._chosen = tuple(evaluation_sample(len(x)) for x in (data.raw_train, data.raw_test))
        self._last: tuple[tuple[NDArray[Any], ...], tuple[Scores, Scores]] | None = None

    @cached_property
    def _neighborhoods(self) -> tuple[Neighborhoods, Neighborhoods]:
        data, (train, test) = self._data, self._chosen
        some = replace(data, raw_train=data.raw_train[train], raw_test=data.raw_test[test])
        seen = some.x_train, some.x_test
        if self._scaling is not None:
            seen = self._scaling(seen[0]), self._scaling(seen[1])
        return Neighborhoods(seen[0]), Neighborhoods(seen[1])

    @stage("faithfulness")
    def scores(self, train: NDArray[Any], test: NDArray[Any]) -> tuple[Scores, Scores]:
        """Return the scores of train and of test codes; none where one of these is no number."""
        if not (np.isfinite(train).all() and np.isfinite(test).all()):
            return {}, {}
        codes = tuple(x[some] for x, some in zip((train, test), self._chosen, strict=True))
        if self._last is None or not all(map(np.array_equal, codes, self._last[0])):
            of_train, of_test = (
                n.scores(x) for n, x in zip(self._neighborhoods, codes, strict=True)
            )
            self._last = codes, (of_train, of_test)
        return self._last[1]
