"""Cluster embeddings of your own, from any model: no autoencoder is trained.

Save them as x (n, numbers) in an .npz file. Here 30 principal components stand in for what a
foundation model would give you.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from ae_cluster import RunConfig, read_codes, run

folder = Path("runs/gallery")
folder.mkdir(parents=True, exist_ok=True)

x, y = load_digits(return_X_y=True)
embeddings = PCA(30, random_state=0).fit_transform(x)  # yours instead
np.savez(folder / "embeddings.npz", x=embeddings.astype(np.float32), y=y)  # y is optional

config = RunConfig(
    dataset=str(folder / "embeddings.npz"),
    features="given",  # x are codes already: clustered as they are, not standardised
    n_clusters=10,  # never read from the labels
    methods=("kmeans", "gmm"),
)
rows = run(config, folder / "08-embeddings", force=True, figures=False)
shown = rows[(rows["split"] == "test") & rows["budget"].isna()]
print(shown[["method", "accuracy", "ami", "seconds"]].round(3).to_string(index=False))

arrays = read_codes(folder / "08-embeddings", "kmeans")
for sample, cluster in list(zip(arrays["ids_test"], arrays["clusters_test"], strict=True))[:5]:
    print(f"sample {sample}: cluster {cluster}")
