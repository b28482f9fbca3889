"""The ways from samples and a few labels to a class that reshape an encoder, by name."""

from __future__ import annotations

from ae_cluster.few_labels.methods import Method
from ae_cluster.reshaping.deep_generative import DeepGenerativeClassifier
from ae_cluster.reshaping.fine_tuning import FineTunedClassifier
from ae_cluster.reshaping.sorting_classifier import SortingClassifier
from ae_cluster.rows import RESHAPING

METHODS = {
    "fine-tuning": Method(
        lambda seed, start: FineTunedClassifier(start, random_state=seed), RESHAPING
    ),
    "m1-m2": Method(
        lambda seed, start: DeepGenerativeClassifier(start, random_state=seed), RESHAPING
    ),
    "taught-sorting": Method(
        lambda seed, start: SortingClassifier(start, random_state=seed), RESHAPING
    ),
    "taught-sorting-images": Method(
        lambda seed, start: SortingClassifier(start, random_state=seed), RESHAPING
    ),
}
