"""One list of what is no label and one rule of equal numbers, in every classifier and file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs

from ae_cluster import AutoEncoder, InputError, SortingAutoEncoder
from ae_cluster.cli.main import main
from ae_cluster.common.labels import NO_LABEL, classes_of, label_key, no_such_class
from ae_cluster.semi_supervised.methods import FINETUNED_METHODS, FINETUNED_STARTS, METHODS

NAMES = np.array(["cat", "dog", "eel"])

# ---- the two rules


@pytest.mark.parametrize(
    "text", [*sorted(NO_LABEL), " ", " NaN\t", "-1", "-1.0", " -1", "-1.000", "-1e0", "−1", "-01"]
)
def test_what_is_no_label(text):
    assert label_key(text) == ""


@pytest.mark.parametrize(
    "text", ["Na", "na", "unknown", "nothing", "-", "0", "-10", "1-1", "--1", "nan1", "NoneType"]
)
def test_what_is_a_label_after_all(text):
    assert label_key(text) == text


@pytest.mark.parametrize(
    "same",
    [
        ["1", "1.0", "1.", "01", "+1", "1e0", " 1 ", "10e-1", "1.000000000000000000e+00"],
        ["0", "-0", "0.0", "00", "0e5"],
        ["-2", "-2.0", "−2"],
        ["1000", "1e3", "1000.0"],
        ["0.5", ".5", "0.50", "5e-1"],
        ["12345678901234567890", "12345678901234567890.0"],
        ["cat", " cat "],
    ],
)
def test_spellings_of_one_class(same):
    assert len({label_key(text) for text in same}) == 1


def test_names_that_differ():
    different = [
        *("1", "2", "10", "0.1", "-2", "1a", "1 0", "1,0", "1_0", "0x1", "١", "inf", "cat", "Cat"),
        *("12345678901234567890", "12345678901234567891", "1e400", "1e401", "1" * 401),
    ]
    assert len({label_key(text) for text in different}) == len(different)


def test_an_unknown_name_is_told_with_those_that_are_known():
    assert "known are: 3, 70, 1000 (a label is" in no_such_class("2", ("3", "70", "1000"))
    assert "did you mean dog? Known are: cat, dog (" in no_such_class("dgo", ("cat", "dog"))
    assert "and 988 more" in no_such_class("x", [str(i) for i in range(1000)])


@pytest.mark.parametrize("value", [float("inf"), 1j, object(), np.datetime64("2020-01-01"), [1]])
def test_what_can_be_no_label_is_refused(value, assert_one_sentence):
    labels = np.empty(2, object)
    labels[:] = ["cat", value]
    with pytest.raises(InputError) as error:
        classes_of(labels)
    assert_one_sentence(error, "whole numbers or text")


# ---- in Python

SHOWN = np.arange(90) % 30 < 3


def forms(truth):
    """Return labelings that all say the same, of text and of numbers, each by its name."""
    text, shown = NAMES[truth], SHOWN
    objects, numbers = text.astype(object), truth.astype(object)
    return {
        "text, -1": np.where(shown, text, "-1"),
        "text, -1.0": np.where(shown, text, "-1.0"),
        "text, empty": np.where(shown, text, ""),
        "text, NA": np.where(shown, text, "NA"),
        "objects, None": np.where(shown, objects, None),
        "objects, NaN": np.where(shown, objects, np.nan),
        "objects, -1": np.where(shown, objects, -1),
        "a list with None": [str(t) if s else None for t, s in zip(text, shown, strict=True)],
        "a list with NaN": [str(t) if s else np.nan for t, s in zip(text, shown, strict=True)],
        "a masked array": np.ma.array(text, mask=~shown),
        "pandas' text": pd.Series(np.where(shown, objects, None), dtype="string"),
        "pandas' categories": pd.Series(np.where(shown, objects, None)).astype("category"),
        "numbers, -1": np.where(shown, truth, -1),
        "numbers, NaN": np.where(shown, truth, np.nan),
        "numbers as objects, None": np.where(shown, numbers, None),
        "numbers as objects, NaN": np.where(shown, numbers, np.nan),
        "numbers as text": np.where(shown, np.where(np.arange(90) % 2, numbers, numbers * 1.0), -1)
        .astype(str),
        "pandas' whole numbers": pd.Series(np.where(shown, numbers, None), dtype="Int64"),
    }  # fmt: skip


def samples():
    """Return 90 images (n, 64) of three digits, and their classes."""
    images, truth = load_digits(n_class=3, return_X_y=True)
    chosen = np.concatenate([np.flatnonzero(truth == c)[:30] for c in range(3)])
    return (images[chosen] / 16).astype(np.float32), truth[chosen]


def classifier(name):
    if name in METHODS:
        made = METHODS[name].make(0, None)
        return made.set_params(max_iter=2) if name == "self-training" else made
    start = AutoEncoder(2, (8,), max_iter=2, random_state=0)
    if FINETUNED_STARTS[name] != "autoencoder":
        start = SortingAutoEncoder(
            3, image_prior=name.endswith("images"), max_iter=1, decoder_max_iter=1, min_steps=5,
            image_shape=(8, 8) if name.endswith("images") else None, random_state=0,
        )  # fmt: skip
    return FINETUNED_METHODS[name].make(0, start).set_params(max_iter=1, min_steps=3)


@pytest.mark.filterwarnings("ignore::ae_cluster.HealthWarning")
@pytest.mark.parametrize("name", [*METHODS, *FINETUNED_STARTS])
def test_every_classifier_takes_unlabelled_samples_in_every_form(name):
    X, truth = samples()
    said = forms(truth)
    if name in FINETUNED_STARTS:  # which learn for seconds; the labels are read by the same code
        said = {form: y for i, (form, y) in enumerate(said.items()) if i % 3 == 0 or "obj" in form}
    model = classifier(name)
    expected, *fitted = model.fit_many(X, [np.where(SHOWN, truth, -1), *said.values()])
    shares = expected.predict_proba(X)

    for form, found in zip(said, fitted, strict=True):
        wanted = [0, 1, 2] if "numbers" in form else [*NAMES]
        classes = [*map(float, found.classes_)] if "numbers" in form else [*found.classes_]
        assert classes == wanted, form
        np.testing.assert_allclose(found.predict_proba(X), shares, atol=1e-3, err_msg=form)
        assert set(found.predict(X)) <= set(found.classes_), form


@pytest.mark.parametrize("y", [["NA"] * 4, [None] * 4, [np.nan] * 4, ["", "-1", "?", "-1.0"]])
def test_labels_none_of_which_is_known(y):
    with pytest.raises(InputError, match="No label is known"):
        METHODS["knn"].make(0, None).fit(np.eye(4), y)


def test_numbers_in_two_spellings_are_one_class():
    X, truth = make_blobs(30, centers=2, random_state=0)
    y = np.where(np.arange(30) % 2, truth.astype(str), truth.astype(float).astype(str))
    model = clone(METHODS["knn"].make(0, None)).fit(X, y)

    assert model.classes_.tolist() == ["0", "1"]
    with pytest.raises(InputError, match="All known labels are class 1"):
        clone(model).fit(X, ["1", "1.0", "01"] * 10)


# ---- on the command line


@pytest.fixture
def gaussians(tmp_path, monkeypatch):
    """Give the classes of three Gaussians that lie apart, in x.npz, and write labels of some."""
    monkeypatch.chdir(tmp_path)
    truth = np.repeat([0, 1, 2], 100)
    centers = np.array([[0, 0, 0, 0, 0], [6, 6, 6, 6, 6], [0, 6, 0, 6, 0]])
    x = np.random.default_rng(0).normal(size=(300, 5)) + centers[truth]

    def writing(names, table, **y):
        np.savez("x.npz", x=x, **y)
        rows = "".join(f"{i},{names[truth[i]]}\n" for i in range(0, 300, 13))
        (tmp_path / "labels.csv").write_text(f"id,label\n{rows}" if table is None else table)
        return truth

    return writing


COMMAND = ["classify", "x.npz", "--labels", "labels.csv", "--epochs", "30", "--method", "knn"]


@pytest.mark.parametrize(
    ("classes", "labels", "known"),
    [
        ([1, 2, 3], [0, 1, 2], "1, 2, 3"),
        ([3, 70, 1000], [2, 2, 3], "3, 70, 1000"),
        (["cat", "dog", "eel"], [0, 1, 2], "cat, dog, eel"),
    ],
)
def test_a_position_is_no_label(gaussians, capsys, classes, labels, known):
    truth = gaussians(labels, None)
    gaussians(labels, None, y=np.array(classes)[truth])

    assert main(COMMAND) == 2
    said = capsys.readouterr().err
    assert f"line 2: the label '{labels[0]}' is no class of the data" in said
    assert f"nown are: {known} (" in said


@pytest.mark.parametrize(
    ("classes", "labels", "predicted"),
    [
        ([1, 2, 3], ["1", "2.0", "03"], ["1", "2", "3"]),
        ([3, 70, 1000], ["3.0", "70", "1e3"], ["3", "70", "1000"]),
        (None, [0, 1, 2], ["0", "1", "2"]),
        (None, ["dog", "1.0", "cat"], ["dog", "1.0", "cat"]),
        ([-1, -1, -1], [7, 8, 9], ["7", "8", "9"]),
    ],
)
def test_labels_go_to_the_class_of_their_name(gaussians, classes, labels, predicted):
    truth = gaussians(labels, None)
    gaussians(labels, None, **({} if classes is None else {"y": np.array(classes)[truth]}))

    assert main(COMMAND) == 0
    table = pd.read_csv("predictions.csv", dtype=str)
    assert (table["prediction"] == np.array(predicted)[truth]).mean() > 0.9


def test_text_in_y_that_means_unlabelled_is_learnt_for_nobody(gaussians):
    truth = gaussians(NAMES, None)
    y = np.where(np.arange(300) % 13 == 0, NAMES[truth], np.resize(["NA", "-1.0", "None"], 300))
    gaussians(NAMES, None, y=y)

    assert main([*COMMAND[:2], *COMMAND[4:]]) == 0
    table = pd.read_csv("predictions.csv", dtype=str, keep_default_na=False)
    assert (table["prediction"] == NAMES[truth]).mean() > 0.9
    assert table["label"].tolist() == [*np.where(np.arange(300) % 13 == 0, NAMES[truth], "")]


def test_a_table_of_nothing_but_unknowns_holds_no_label(gaussians, capsys):
    gaussians(["-1.0", "NaN", "null"], None)

    assert main(COMMAND) == 2
    assert "labels.csv: it holds no label" in capsys.readouterr().err
