"""An autoencoder that sorts: its code says which kind an image is, and which of its kind."""

from ae_cluster.clustering.sorting.estimator import SortingAutoEncoder

__all__ = ["SortingAutoEncoder"]
