"""The classic deep clusterings, as scikit-learn estimators on one autoencoder and training loop."""

from ae_cluster.deep.base import DeepClustering, paper_autoencoder
from ae_cluster.deep.dcn import DCN
from ae_cluster.deep.dec import DEC, IDEC
from ae_cluster.deep.n2d import N2D
from ae_cluster.deep.vade import VaDE

__all__ = ["DCN", "DEC", "IDEC", "N2D", "DeepClustering", "VaDE", "paper_autoencoder"]
