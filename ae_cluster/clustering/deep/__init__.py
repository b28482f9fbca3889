"""The classic deep clusterings, as scikit-learn estimators on one autoencoder and training loop."""

from ae_cluster.clustering.deep.base import DeepClustering, paper_autoencoder
from ae_cluster.clustering.deep.dcn import DCN
from ae_cluster.clustering.deep.dec import DEC, IDEC
from ae_cluster.clustering.deep.n2d import N2D
from ae_cluster.clustering.deep.vade import VaDE

__all__ = ["DCN", "DEC", "IDEC", "N2D", "DeepClustering", "VaDE", "paper_autoencoder"]
