"""How many clusters: six kinds of evidence, none of which sees a label, and their short list.

`representation` makes what all evidence is taken from, `evidence` scores every number of
clusters, `suggestion` puts the scores together.
"""

from ae_cluster.clustering.number_of_clusters.suggestion import (
    Suggestion,
    resolved,
    suggest_n_clusters,
)

__all__ = ["Suggestion", "resolved", "suggest_n_clusters"]
