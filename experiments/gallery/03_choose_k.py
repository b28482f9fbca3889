"""Choose the number of clusters without labels: two signs, and what to do when they disagree.

Silhouette: are samples nearer to their own cluster than to the next? Stability: do two halves
of the data give the same clusters? Both see codes only. No sign is proof; look at the clusters
of the two or three best k before you believe one.
"""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from ae_cluster import AutoEncoder, load_dataset

data = load_dataset("digits")
codes = AutoEncoder(max_iter=120, random_state=0).fit_transform(data.x_train)
rng = np.random.default_rng(0)


def clusters_of_all(part, k):
    """Fit KMeans to some of the codes and predict all of them."""
    return KMeans(k, n_init=10, random_state=0).fit(codes[part]).predict(codes)


def stability(k, n_splits=5):
    """Return how alike (ARI) the clusters of two random halves are, on average."""
    halves = [np.array_split(rng.permutation(len(codes)), 2) for _ in range(n_splits)]
    pairs = [(clusters_of_all(a, k), clusters_of_all(b, k)) for a, b in halves]
    return np.mean([adjusted_rand_score(a, b) for a, b in pairs])


print(" k  silhouette  stability")
for k in range(2, 16):
    silhouette = silhouette_score(codes, clusters_of_all(np.arange(len(codes)), k))
    print(f"{k:2d}  {silhouette:10.3f}  {stability(k):9.3f}")
print("\nTen digits are there. Trust a k that both columns favour over its neighbours; where they")
print("disagree, the data have no one number of clusters at this level of detail.")
