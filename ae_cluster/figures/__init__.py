"""Pictures of a run: arrays and rows in, matplotlib figures out.

Every ``plot_…`` function is pure: it takes arrays (or a table of rows) and
returns a `matplotlib.figure.Figure` that carries its own title and caption.
Nothing here opens a window, touches ``pyplot`` state, trains or loads torch.
`save_figure` writes one as PNG, SVG and a text file with the caption.

    figure = plot_codes(codes, labels, clusters, class_names)
    save_figure(figure, "RUN/figures", "codes")

`training` draws what happens while the network learns, `codes` the codes in
space, `confusion` clusters against labels, `image_grids` what each cluster holds
(`examples` chooses it), `label_sheet` what is to be labelled, `label_budget` what a few
labels buy, `comparisons` methods side by side over many seeds, `curves` a score
against a size, `ablation` what each stage buys, `ranks` methods over many data
sets, `number_of_clusters` what speaks for each number; `style` is the one look, `images`
the image grids and `panels` the frame of comparisons that they share.
"""

from ae_cluster.figures.ablation import plot_stages
from ae_cluster.figures.codes import plot_code_tiles, plot_codes
from ae_cluster.figures.comparisons import plot_methods, plot_pareto
from ae_cluster.figures.confusion import plot_confusion
from ae_cluster.figures.curves import plot_code_sizes, plot_training_curve
from ae_cluster.figures.examples import ClusterExamples, cluster_examples
from ae_cluster.figures.image_grids import plot_cluster_images, plot_cluster_profiles
from ae_cluster.figures.label_budget import plot_label_budget
from ae_cluster.figures.label_sheet import plot_label_sheet
from ae_cluster.figures.number_of_clusters import plot_n_clusters
from ae_cluster.figures.ranks import plot_ranks
from ae_cluster.figures.style import caption_of, in_style, save_figure, undrawable
from ae_cluster.figures.training import plot_loss_curve, plot_reconstructions

__all__ = [
    "ClusterExamples",
    "caption_of",
    "cluster_examples",
    "in_style",
    "plot_cluster_images",
    "plot_cluster_profiles",
    "plot_code_sizes",
    "plot_code_tiles",
    "plot_codes",
    "plot_confusion",
    "plot_label_budget",
    "plot_label_sheet",
    "plot_loss_curve",
    "plot_methods",
    "plot_n_clusters",
    "plot_pareto",
    "plot_ranks",
    "plot_reconstructions",
    "plot_stages",
    "plot_training_curve",
    "save_figure",
    "undrawable",
]
