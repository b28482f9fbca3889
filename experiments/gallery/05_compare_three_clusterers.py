"""Compare three clusterers with intervals, paired by seed.

One run says little: each seed trains its own autoencoder, and all clusterers of a seed share
its codes, so that their differences are paired. A difference whose interval holds 0 is none.
"""

import pandas as pd
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.mixture import GaussianMixture

from ae_cluster import AutoEncoder, load_dataset
from ae_cluster.metrics.clustering import ami
from ae_cluster.reports import median_interval

SEEDS = range(5)  # ten or more for a result you publish

data = load_dataset("digits")
rows = []
for seed in SEEDS:
    model = AutoEncoder(max_iter=60, random_state=seed).fit(data.x_train)
    codes = model.transform(data.x_test)
    clusterers = {
        "kmeans": KMeans(10, n_init=10, random_state=seed),
        "gmm": GaussianMixture(10, random_state=seed),
        "ward": AgglomerativeClustering(10),
    }
    for name, clusterer in clusterers.items():
        score = ami(data.y_test, clusterer.fit_predict(codes))
        rows.append({"seed": seed, "method": name, "ami": score})

scores = pd.DataFrame(rows).pivot(index="seed", columns="method", values="ami")
print("AMI, median of", len(scores), "seeds (95 % interval by bootstrap)")
for name in scores:
    low, high = median_interval(scores[name])
    print(f"  {name:6s} {scores[name].median():.3f} ({low:.3f} to {high:.3f})")
for name in ("gmm", "ward"):
    difference = scores[name] - scores["kmeans"]
    low, high = median_interval(difference)
    print(f"  {name} − kmeans {difference.median():+.3f} ({low:+.3f} to {high:+.3f})")
