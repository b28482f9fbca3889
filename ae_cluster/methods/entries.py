"""One entry per method: clusterings and classifiers, and all that is said of them.

A new method is its class and one entry here: lists, help texts, rows and the estimators that a
name stands for follow from it. A class is named by its address and imported only when it is made.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# Kinds of clusterings.
CLUSTERER = "clusters the codes"
BASELINE = "codes to beat, clustered by KMeans"
SORTER = "learns clusters and codes of its own"
DEEP = "goes on from the autoencoder's codes"
# Kinds of classifiers, which are kept apart in every table.
FROZEN, FINETUNED = "frozen codes", "fine-tuned encoder"
# Names of methods and families in earlier rows, configs and commands: read for ever.
OLD_NAMES = {
    "named-clusters": "cluster-then-label",
    "fine-tuning": "fine-tuned-autoencoder",
    "taught-sorting": "fine-tuned-sorting",
    "taught-sorting-images": "fine-tuned-sorting-images",
    "reshaping the encoder": FINETUNED,
    "reshaping": "fine-tuned",  # as --family
}


@dataclass(frozen=True)
class Method:
    """One clustering by name.

    Attributes
    ----------
    name, kind : str
    what : str
        One sentence.
    paper : str
        Where it was described; "" for what needs none.
    seconds : float or None
        About what it costs, measured as `cost_of` says; None where it was not measured.
    uses_k, uses_balance, uses_augmentation : bool
        What it assumes beside the samples.
    tuned_on : str
        The data that chose its hyper-parameters.
    needs_images : bool
        A table cannot be used.
    class_address : str
        ``module:Class`` of what learns clusters; "" of clusterers and baselines, which are made
        in `clustering.codes` and `runs.encoders`.
    epochs : int
        Of a deep clustering on MNIST, in batches of 256; 0: it does not train in epochs.
    parameters : mapping
        Of its class, where they are not the defaults.
    """

    name: str
    kind: str
    what: str
    paper: str
    seconds: float | None
    uses_k: bool = True
    uses_balance: bool = False
    uses_augmentation: bool = False
    tuned_on: str = "nothing"
    needs_images: bool = False
    class_address: str = ""
    epochs: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def load_class(self) -> Any:
        """Return the class, imported now."""
        module, _, name = self.class_address.partition(":")
        return getattr(importlib.import_module(module), name)


@dataclass(frozen=True)
class Classifier(Method):
    """One classifier from a few labels by name; its kind is its family.

    Attributes
    ----------
    start : str
        The encoder that fine-tuning starts from; "" on frozen codes.
    after : str
        The method whose fitted models it starts from, where that saves solving twice.
    clusters : bool
        Whether it depends on a clusterer's random start.
    """

    start: str = ""
    after: str = ""
    clusters: bool = False


SORTING_TUNED_ON = "digits, fashion-mnist; trials on mnist"
BY_PAPERS = "mnist (by the papers)"
COST = "seconds of one core for 10,000 images of MNIST, from image to cluster"
CLASSIFIERS_COST = "seconds of one core for 60,000 images of MNIST, ten labels a class"

METHODS = (
    Method(
        "kmeans", CLUSTERER,
        "KMeans of the codes, the best of ten starts.",
        "Lloyd, IEEE Trans. Information Theory 28 (1982)", 10.0,
    ),
    Method(
        "minibatch-kmeans", CLUSTERER,
        "KMeans of the codes, a minibatch at a time: for very many samples.",
        "Sculley, WWW 2010", 10.0,
    ),
    Method(
        "gmm", CLUSTERER,
        "A mixture of Gaussians with full covariances, fitted to the codes.",
        "Dempster, Laird, Rubin, J. R. Statist. Soc. B 39 (1977)", 12.0,
    ),
    Method(
        "sorting", SORTER,
        "Clusters of the neighbour graph, learnt by a network that must agree with itself under "
        "the worst small steps, and codes laid out by cluster.",
        "none, it is this project's; agreement as Miyato et al. (VAT, 2018) and Hu et al. (IMSAT, "
        "ICML 2017)",
        65.0, tuned_on=SORTING_TUNED_ON,
        class_address="ae_cluster.clustering.sorting:SortingAutoEncoder",
    ),
    Method(
        "sorting-images", SORTER,
        "The same for images, which keep their cluster when turned, sheared, scaled, moved or "
        "bent a little.",
        "none, it is this project's; agreement as Hu et al. (IMSAT, ICML 2017)",
        200.0, uses_augmentation=True, tuned_on=SORTING_TUNED_ON, needs_images=True,
        class_address="ae_cluster.clustering.sorting:SortingAutoEncoder",
        parameters={"image_prior": True},
    ),
    Method(
        "sorting-fast", SORTER,
        "The same in seconds: the best spectral clusters of the neighbour graph, or KMeans', "
        "learnt by a network without small steps.",
        "none, it is this project's; clusters as Ng, Jordan, Weiss (NIPS 2001)",
        4.0, tuned_on="mnist (training labels)",
        class_address="ae_cluster.clustering.sorting:SortingAutoEncoder",
        parameters={"effort": "fast"},
    ),
    Method(
        "dec", DEEP,
        "Codes move towards the centres they are already nearest to; nothing is reconstructed "
        "any more.",
        "Xie, Girshick, Farhadi (ICML 2016)", 16.0,
        class_address="ae_cluster.clustering.deep:DEC", epochs=60,
    ),
    Method(
        "idec", DEEP,
        "DEC that goes on reconstructing the samples.",
        "Guo, Gao, Liu, Yin (IJCAI 2017)", 29.0, tuned_on=BY_PAPERS,
        class_address="ae_cluster.clustering.deep:IDEC", epochs=60,
    ),
    Method(
        "dcn", DEEP,
        "Reconstruction, and codes pulled to KMeans' centres, which move with them.",
        "Yang, Fu, Sidiropoulos, Hong (ICML 2017)", 28.0, tuned_on=BY_PAPERS,
        class_address="ae_cluster.clustering.deep:DCN", epochs=50,
    ),
    Method(
        "vade", DEEP,
        "A variational autoencoder whose prior is a mixture of Gaussians.",
        "Jiang, Zheng, Tan, Tang, Zhou (IJCAI 2017)", 31.0,
        class_address="ae_cluster.clustering.deep:VaDE", epochs=50,
    ),
    Method(
        "n2d", DEEP,
        "A UMAP of the autoencoder's codes, clustered by a mixture of Gaussians.",
        "McConville, Santos-Rodríguez, Piechocki, Craddock (ICPR 2020)", 69.0,
        class_address="ae_cluster.clustering.deep:N2D",
    ),
    Method(
        "pca", BASELINE,
        "KMeans of as many principal components as the code has numbers.",
        "Pearson, Philosophical Magazine 2 (1901)", 0.5,
    ),
    Method(
        "untrained", BASELINE,
        "KMeans of the autoencoder's codes before any training, which training must beat.",
        "", 0.5,
    ),
    Method(
        "pixels", BASELINE,
        "KMeans of the samples themselves, all pixels or all columns: what coding must beat.",
        "", 7.0,
    ),
)  # fmt: skip

_FROZEN, _FINETUNED = "ae_cluster.semi_supervised.frozen", "ae_cluster.semi_supervised.finetuned"
CLASSIFIERS = (
    Classifier(
        "logistic-regression", FROZEN,
        "Logistic regression of the codes, from the labelled samples alone.",
        "Cox, J. R. Statist. Soc. B 20 (1958)", 24.0, tuned_on="digits",
        class_address=f"{_FROZEN}.supervised:LabelledLogistic",
    ),
    Classifier(
        "knn", FROZEN,
        "The class of the nearest labelled codes.",
        "Cover, Hart, IEEE Trans. Information Theory 13 (1967)", 24.0, tuned_on="digits",
        class_address=f"{_FROZEN}.supervised:LabelledNeighbors",
    ),
    Classifier(
        "svm", FROZEN,
        "A support vector machine with a Gaussian kernel, from the labelled samples alone.",
        "Cortes, Vapnik, Machine Learning 20 (1995)", 25.0, tuned_on="digits",
        class_address=f"{_FROZEN}.supervised:LabelledSVM",
    ),
    Classifier(
        "self-training", FROZEN,
        "Logistic regression that goes on learning from its own most certain predictions.",
        "Yarowsky (ACL 1995)", 25.0, tuned_on="digits",
        class_address=f"{_FROZEN}.supervised:SelfTraining",
    ),
    Classifier(
        "label-spreading", FROZEN,
        "Labels spread along the neighbour graph of all codes.",
        "Zhou, Bousquet, Lal, Weston, Schölkopf (NIPS 2003)", 26.0, tuned_on="digits",
        class_address=f"{_FROZEN}.graph:GraphSpreading",
    ),
    Classifier(
        "poisson", FROZEN,
        "Poisson's equation on the neighbour graph of all codes, with the labels as sources.",
        "Calder, Cook, Thorpe, Slepčev (ICML 2020)", 26.0, tuned_on="digits",
        class_address=f"{_FROZEN}.graph:PoissonLearning",
    ),
    Classifier(
        "poisson-priors", FROZEN,
        "The same, assuming that all classes are equally common.",
        "Calder, Cook, Thorpe, Slepčev (ICML 2020)", 25.0, uses_balance=True, tuned_on="digits",
        class_address=f"{_FROZEN}.graph:PoissonLearning",
        parameters={"class_priors": "balanced"}, after="poisson",
    ),
    Classifier(
        "cluster-then-label", FROZEN,
        "A Gaussian mixture of all codes, each cluster given the class of the labels near it.",
        "", 24.0, tuned_on="digits",
        class_address=f"{_FROZEN}.cluster_then_label:ClusterThenLabel", clusters=True,
    ),
    Classifier(
        "fine-tuned-autoencoder", FINETUNED,
        "An autoencoder that learns the labels and goes on reconstructing all samples.",
        "", 57.0, tuned_on="digits",
        class_address=f"{_FINETUNED}:FineTunedClassifier", start="autoencoder",
    ),
    Classifier(
        "m1-m2", FINETUNED,
        "A generative model of an autoencoder's codes in which the class is a latent variable.",
        "Kingma, Mohamed, Rezende, Welling (NIPS 2014)", 78.0, tuned_on="digits",
        class_address=f"{_FINETUNED}:DeepGenerativeClassifier", start="autoencoder",
    ),
    Classifier(
        "fine-tuned-sorting", FINETUNED,
        "Sorting clusters given classes by the labels, then trained on with the labels and all "
        "samples.",
        "none, it is this project's; consistency as Miyato et al. (VAT, 2018)", 280.0,
        tuned_on=SORTING_TUNED_ON,
        class_address=f"{_FINETUNED}:SortingClassifier", start="sorting",
    ),
    Classifier(
        "fine-tuned-sorting-images", FINETUNED,
        "The same for images, which keep their class when turned, sheared, scaled or moved.",
        "none, it is this project's; consistency as Hu et al. (IMSAT, ICML 2017)", 1000.0,
        uses_augmentation=True, tuned_on=SORTING_TUNED_ON, needs_images=True,
        class_address=f"{_FINETUNED}:SortingClassifier", start="sorting-images",
    ),
)  # fmt: skip
DEFAULT_CLASSIFIER = "label-spreading"

DEFAULTS = ("kmeans", "gmm")
LEARNERS = tuple(method.name for method in METHODS if method.kind in (SORTER, DEEP))
SORTERS = tuple(method.name for method in METHODS if method.kind == SORTER)
DEEP_CLUSTERINGS = tuple(method.name for method in METHODS if method.kind == DEEP)
BY_NAME = {method.name: method for method in METHODS}
CLASSIFIER_BY_NAME = {method.name: method for method in CLASSIFIERS}


def current_name(name: str) -> str:
    """Return the name that a method or a family has now.

    >>> current_name("taught-sorting"), current_name("knn")
    ('fine-tuned-sorting', 'knn')
    """
    return OLD_NAMES.get(name, name)


def classifier_names(kind: str) -> tuple[str, ...]:
    """Return the names of the classifiers of one family."""
    return tuple(method.name for method in CLASSIFIERS if method.kind == kind)


def cost_of(method: Method) -> str:
    """Return what a method's seconds are."""
    return CLASSIFIERS_COST if isinstance(method, Classifier) else COST


def described() -> list[dict[str, Any]]:
    """Return every method, clusterings and then classifiers, as JSON takes it."""
    return [
        asdict(method)
        | {
            "command": "classify" if isinstance(method, Classifier) else "run",
            "seconds_are": cost_of(method),
        }
        for method in (*METHODS, *CLASSIFIERS)
    ]
