"""The one table of metrics says what is true of each."""

import numpy as np
import pytest

from ae_cluster.metrics.clustering import METRICS
from ae_cluster.records.rows import COLUMNS, SCORES

OF_LABELS = [metric for metric in METRICS if metric.score is not None]
LABELS = np.repeat(np.arange(10), 100)


def of_random_clusters(metric, k):
    rng = np.random.default_rng(0)
    return np.mean([metric.score(LABELS, rng.integers(0, k, LABELS.size)) for _ in range(5)])


@pytest.mark.parametrize("metric", OF_LABELS, ids=lambda metric: metric.name)
def test_what_needs_k_rises_with_random_clusters(metric):
    rise = of_random_clusters(metric, 200) - of_random_clusters(metric, 10)
    if metric.needs_k:
        assert rise > 0.02
    if metric.chance_corrected:
        assert abs(rise) < 0.02
        assert abs(of_random_clusters(metric, 200)) < 0.02


@pytest.mark.parametrize("metric", OF_LABELS, ids=lambda metric: metric.name)
def test_the_direction_is_that_of_better_clusters(metric):
    half = np.where(np.arange(LABELS.size) % 2, LABELS, 0)
    better, worse = metric.score(LABELS, LABELS), metric.score(LABELS, half)
    assert (better < worse) if metric.lower_is_better else (better > worse)
    assert better <= 1 if metric.at_most_1 else True


def test_every_metric_is_a_column_and_no_name_stands_twice():
    names = [metric.name for metric in METRICS]
    heads = [metric.head for metric in METRICS if metric.head]
    assert [name for name in COLUMNS if name in names] == names
    assert set(names) <= set(SCORES)
    assert len({*names}) == len(names)
    assert len({*heads}) == len(heads)
    assert not any(metric.needs_k and metric.chance_corrected for metric in METRICS)
