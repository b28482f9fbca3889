"""Read a run folder in Python: scores, codes, clusters, and the samples to look at.

A run is a folder of plain files (JSON, CSV, NPZ): nothing here trains or loads torch but the
first call, which makes the run.
"""

from pathlib import Path

import numpy as np

from ae_cluster import RunConfig, read_codes, read_scores, run

folder = Path("runs/gallery/07-digits")
run(RunConfig(epochs=60, draws=1), folder, force=True, figures=False)

scores = read_scores(folder)
print(f"{len(scores)} rows, {scores['status'].value_counts().to_dict()}")
shown = scores[(scores["split"] == "test") & scores["budget"].isna()]
print(shown[["features", "method", "accuracy", "ami", "seconds"]].round(3).to_string(index=False))

arrays = read_codes(folder, "kmeans")
codes, clusters = arrays["codes_test"], arrays["clusters_test"]
print("arrays of kmeans:", ", ".join(f"{name} {a.shape}" for name, a in arrays.items()))

centers = arrays["centers"]
for cluster in range(3):
    members = np.flatnonzero(clusters == cluster)
    distance = np.linalg.norm(codes[members] - centers[cluster], axis=1)
    typical = arrays["ids_test"][members[distance.argsort()[:3]]]
    print(f"cluster {cluster}: {len(members)} test samples, typical: {', '.join(typical)}")
