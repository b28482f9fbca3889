"""Classifiers for which a few labels reshape the encoder: the second family beside frozen codes.

    fine_tuning         cross-entropy of the labelled, reconstruction of all
    deep_generative     M1+M2: a generative model of the codes, the class one of their causes
    sorting_classifier  clusters named by the labels, then taught on with labels and all samples
    methods             these by name

They take −1 for unlabelled as those on frozen codes do, but learn from the samples themselves.
Below them, in reading order: naming, generative_equations, base.
"""

from ae_cluster.semi_supervised.finetuned.cross_entropy import FineTunedClassifier
from ae_cluster.semi_supervised.finetuned.m2 import DeepGenerativeClassifier
from ae_cluster.semi_supervised.finetuned.sorting import SortingClassifier

__all__ = ["DeepGenerativeClassifier", "FineTunedClassifier", "SortingClassifier"]
