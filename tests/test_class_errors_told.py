"""The sentence and the table on classes that a clustering merges, mixes, splits or leaves out."""

from types import SimpleNamespace

import numpy as np

from ae_cluster.runs.scoring import class_table, merges_and_splits


def test_merged_and_split_classes_are_named():
    # Classes 0 and 1 share cluster 7; class 2 is half in 8, half in 9.
    labels = np.array([0, 0, 1, 1, 2, 2, 2, 2])
    clusters = np.array([7, 7, 7, 7, 8, 8, 9, 9])
    data = SimpleNamespace(y_train=labels, y_test=labels, class_names=("ant", "bee", "cow"))
    result = SimpleNamespace(train=clusters, test=clusters)
    said = merges_and_splits("kmeans", data, result)
    assert said == "kmeans merges ant and bee and splits cow (test samples)."
    table = class_table(data, result).set_index("name")
    assert table.loc["ant", "merged_with"] == "bee"
    assert table.loc["cow", "clusters"] in ("8 9", "9 8")
    assert sorted(table["recall"]) == [0, 0.5, 1]


def test_classes_mixed_evenly_over_many_clusters_are_not_told_as_split():
    # Ant and bee have one sample in each of four clusters, cow two in each of two more.
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    clusters = np.array([0, 1, 2, 3, 0, 1, 2, 3, 4, 4, 5, 5])
    names = ("ant", "bee", "cow")
    said = said_of(labels, clusters, names)
    assert said == "kmeans mixes ant and bee and splits cow (test samples)."
    result = SimpleNamespace(train=clusters, test=clusters)
    data = SimpleNamespace(y_train=labels, y_test=labels, class_names=names)
    together = class_table(data, result).set_index("name")["merged_with"]
    assert together.to_dict() == {"ant": "bee", "bee": "ant", "cow": ""}
    # At random all are mixed; ant with bee and bee with cow are one mixture.
    random = np.arange(6000) // 60, np.arange(6000) % 60
    assert said_of(random[1] % 40, random[0], [str(i) for i in range(40)]) == (
        "kmeans mixes 40, of 40 classes (test samples; see classes.csv)."
    )
    chain = [0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7]
    assert said_of(labels, np.array(chain), names) == (
        "kmeans mixes ant and bee and cow (test samples)."
    )


def said_of(labels, clusters, names):
    data = SimpleNamespace(y_train=labels, y_test=labels, class_names=names)
    return merges_and_splits("kmeans", data, SimpleNamespace(train=clusters, test=clusters))


def test_the_sentence_on_merged_and_split_classes_fits_two_lines_whatever_it_tells():
    names = [f"{i}: {'a long name ' * 20}" for i in range(40)]
    labels = np.arange(4000) % 40
    # 40 classes in 18 clusters; likewise, each split in two; a hundred clusters of three classes.
    assert said_of(labels, labels % 18, names) == (
        "kmeans merges 40 into 18 clusters, of 40 classes (test samples; see classes.csv)."
    )
    halves = labels % 5 + 5 * (np.arange(4000) // 2000)
    assert said_of(labels, halves, [str(i) for i in range(40)]) == (
        "kmeans merges 40 into 10 clusters and splits 40, of 40 classes (test samples; see "
        "classes.csv)."
    )
    thirds = labels % 3
    assert said_of(thirds, 3 * (labels % 33) + thirds, ("a", "b", "c")) == (
        "kmeans splits a, b, c (test samples)."
    )
    assert "neither" in said_of(labels, labels[::-1], names)
    assert "neither" in said_of(labels, np.where(np.arange(4000) % 3, labels, -1), names)


def test_noise_is_told_and_no_label_is_told():
    labels = np.repeat([0, 1, 2], 60)
    clusters = np.concatenate([np.full(60, -1), np.arange(60) % 18, np.full(60, 53)])
    assert said_of(labels, clusters, ("ant", "bee", "cow")) == (
        "kmeans splits bee and leaves ant mostly in no cluster (test samples)."
    )
    assert "no test label is known" in said_of(np.full(9, -1), np.arange(9), ())
