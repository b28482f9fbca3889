"""Redo the tutorial: a small autoencoder, its 3-D codes, and KMeans on them.

The network is the tutorial's, 784-128-64-12-3 with as many inputs as an image has pixels (64
here: the digits that scikit-learn bundles). No label is seen in training; labels only score.
"""

from pathlib import Path

from sklearn.cluster import KMeans

from ae_cluster import AutoEncoder, load_dataset
from ae_cluster.figures import plot_code_tiles, plot_codes, save_figure
from ae_cluster.metrics.clustering import accuracy_matched, ami

OUT = Path("runs/gallery")

data = load_dataset("digits")
print(f"{len(data.x_train)} training and {len(data.x_test)} test images of {data.image_shape}")

# The tutorial's 10 epochs are 9,380 steps on MNIST; 1,347 digits need more epochs for as many.
model = AutoEncoder(n_components=3, max_iter=120, random_state=0).fit(data.x_train)
codes = model.transform(data.x_test)
print(f"codes: {codes.shape}, mean squared error {model.loss_curve_[-1]:.4f}")

kmeans = KMeans(10, n_init=10, random_state=0).fit(model.transform(data.x_train))
clusters = kmeans.predict(codes)
print(f"accuracy (matched) {accuracy_matched(data.y_test, clusters):.3f}")
print(f"AMI                {ami(data.y_test, clusters):.3f}")

names = data.class_names
figures = {
    "codes": plot_codes(codes, data.y_test, clusters, names),
    "tiles": plot_code_tiles(codes, data.y_test, clusters, names),
}
for name, figure in figures.items():
    print("figure:", save_figure(figure, OUT, f"01-{name}")[0])
