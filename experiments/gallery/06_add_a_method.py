"""Add a clusterer of your own to a whole run, with scores, figures and baselines beside it.

Any class with fit_predict joins as module:Class; this file is both the module and the example.
On the command line, from the folder that it lies in:

    ae-cluster run --method kmeans --method farthest:FarthestFirst
"""

import sys
from pathlib import Path

import numpy as np

from ae_cluster import RunConfig, run

FARTHEST = """
import numpy as np


class FarthestFirst:  # Gonzalez 1985: each seed is the code farthest from all before it
    def __init__(self, n_clusters=8):
        self.n_clusters = n_clusters

    def fit_predict(self, codes):
        seeds, nearest = codes[:1], np.linalg.norm(codes - codes[0], axis=1)
        for _ in range(self.n_clusters - 1):
            seeds = np.vstack([seeds, codes[nearest.argmax()]])
            nearest = np.minimum(nearest, np.linalg.norm(codes - seeds[-1], axis=1))
        return np.linalg.norm(codes[:, None] - seeds, axis=2).argmin(axis=1)
"""

folder = Path("runs/gallery")
folder.mkdir(parents=True, exist_ok=True)
(folder / "farthest.py").write_text(FARTHEST)  # yours would lie beside your data
sys.path.insert(0, str(folder))

config = RunConfig(methods=("kmeans", "farthest:FarthestFirst"), epochs=60, draws=1)
rows = run(config, folder / "06-farthest", force=True, figures=False)
shown = rows[(rows["split"] == "test") & rows["budget"].isna()]
print(shown[["features", "method", "accuracy", "ami"]].round(3).to_string(index=False))
print("not there:", np.isnan(shown["accuracy"]).sum(), "scores")
