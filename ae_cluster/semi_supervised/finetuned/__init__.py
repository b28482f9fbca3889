"""Classifiers that fine-tune an encoder from a few labels: the second family beside frozen codes.

    cross_entropy  cross-entropy of the labelled, reconstruction of all
    m2             M1+M2: a generative model of the codes, the class a latent variable
    sorting        clusters given classes by the labels, then trained on with labels and all samples

They take −1 for unlabelled as those on frozen codes do, but learn from the samples themselves.
Below them, in reading order: m2_equations, base.
"""

from ae_cluster.semi_supervised.finetuned.cross_entropy import FineTunedClassifier
from ae_cluster.semi_supervised.finetuned.m2 import DeepGenerativeClassifier
from ae_cluster.semi_supervised.finetuned.sorting import SortingClassifier

__all__ = ["DeepGenerativeClassifier", "FineTunedClassifier", "SortingClassifier"]
