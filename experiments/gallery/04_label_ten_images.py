"""Label ten images and classify the rest.

Which ten matters more than which classifier: ten typical images that are far from one another
(TypiClust, Hacohen et al. 2022) are compared with ten drawn by chance. You would label them by
eye; here the known labels answer for you.
"""

import numpy as np

from ae_cluster import SortingAutoEncoder, load_dataset, suggest_labels
from ae_cluster.semi_supervised.frozen.graph import GraphSpreading

data = load_dataset("digits")
# Fewer steps than by default, to be quick; more make the clusters a little better.
model = SortingAutoEncoder(10, min_steps=100, random_state=0).fit(data.x_train)
codes, test_codes = model.transform(data.x_train), model.transform(data.x_test)


def accuracy_with(labelled):
    """Label these samples, −1 elsewhere, and score the held-out images."""
    y = np.full(len(codes), -1)
    y[labelled] = data.y_train[labelled]
    classifier = GraphSpreading().fit(codes, y)
    return np.mean(classifier.predict(test_codes) == data.y_test)


chosen = suggest_labels(codes, 10)
print("label these images first:", ", ".join(data.ids_train[chosen]))
print(f"ten suggested: accuracy {accuracy_with(chosen):.3f}")

rng = np.random.default_rng(0)
by_chance = [accuracy_with(rng.choice(len(codes), 10, replace=False)) for _ in range(20)]
low, median, high = np.quantile(by_chance, [0.1, 0.5, 0.9])
print(f"ten by chance: median {median:.3f}, 10 to 90 %: {low:.3f} to {high:.3f}, of 20 draws")
