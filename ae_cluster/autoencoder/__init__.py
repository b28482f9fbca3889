"""Images to codes and back.

Reading order: ``estimator`` (the scikit-learn transformer) → ``inputs`` and ``scaling`` (what it
accepts) → ``networks`` → ``reconstruction`` (loss and gradient) → ``inference`` → ``saving``.
"""

from ae_cluster.autoencoder.estimator import AutoEncoder

__all__ = ["AutoEncoder"]
