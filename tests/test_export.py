"""A run as one ONNX file: it gives what the run gives, says what it is, and replaces nothing."""

import json
import re
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from scipy.special import softmax as softmax_of
from small_runs import small_images

from ae_cluster import N2D, HealthWarning, InputError, RunConfig, load_dataset, read_codes
from ae_cluster.autoencoder.networks import ConvAutoEncoder, initialize
from ae_cluster.cli.main import main
from ae_cluster.clustering.heads import CodeHead, MixtureHead
from ae_cluster.clustering.sorting.networks import ConvHead
from ae_cluster.records.classifiers import classifier_files
from ae_cluster.runs import export
from ae_cluster.runs.assigner import Assigner
from ae_cluster.runs.checked_samples import samples_to_check
from ae_cluster.runs.export import TOLERANCE, export_run, input_of, of_assigner, of_classifier
from ae_cluster.runs.run import run
from ae_cluster.runs.run_folder import files_of_run
from ae_cluster.runs.whole_model import outputs_of, without_convolutions
from ae_cluster.semi_supervised.frozen.scores import KINDS, scores_of_classifier
from ae_cluster.semi_supervised.methods import METHODS

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
CLASSES = ("bar", "cat", "dog")
KEPT = ("logistic-regression", "knn", "svm", "self-training", "cluster-then-label")
ALL = ("kmeans", "gmm", "pixels", "sorting", "sorting-images", "dec", "idec", "dcn", "vade")


def make_run(folder, name, dataset, *methods, **options):
    usual = {"epochs": 2, "n_clusters": 3, "n_components": 2, "draws": 1, "budgets": (1,)}
    config = RunConfig(dataset=str(folder / dataset), methods=methods, **usual | options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HealthWarning)  # of so few steps
        run(config, folder / name, figures=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with runs on images of bytes and on a table, one of them exported each."""
    folder = tmp_path_factory.mktemp("export")
    images, y = small_images(60)
    np.savez(folder / "images.npz", x=images, y=np.array(CLASSES)[y])
    table = np.random.default_rng(1).normal(size=(60, 5)) * [1, 9, 1, 1, 2] + [0, 900, 0, 0, 0]
    np.savez(folder / "table.npz", x=table)
    make_run(folder, "RUN", "images.npz", "kmeans", "dec")
    make_run(folder, "CONV", "images.npz", "kmeans", kind="conv")
    make_run(folder, "TABLE", "table.npz", "gmm", "pixels")
    labels = [f"{i},{CLASSES[y[i]]}" for i in range(12)]
    (folder / "labels.csv").write_text("\n".join(["id,label", *labels]))
    return folder


@pytest.fixture(scope="module")
def dec_file(place):
    """Give the exported clusters of DEC, whose distances torch's exporter knows nothing of."""
    export_run(place / "RUN", place / "dec.onnx", method="dec")
    return place / "dec.onnx"


def results(path, x):
    """Return what ONNX Runtime makes of samples, by the README's lines."""
    (lines,) = [b for b in re.findall(r"```python\n(.*?)```", README, re.S) if "onnxruntime" in b]
    ours = lines.replace("mnist.onnx", path.as_posix())
    ours = ours.replace('numpy.zeros((5, 28, 28), "uint8")', "samples")
    names = {"samples": x}
    exec(compile(ours, "README.md", "exec"), names)
    return [names[name] for name in ("code", "cluster", "probabilities", "names")]


def both_splits(data):
    return np.concatenate([data.raw_train, data.raw_test])


def test_the_file_gives_what_the_run_has(place, dec_file):
    arrays = read_codes(place / "RUN", "dec")
    images = both_splits(load_dataset(place / "images.npz")).reshape(-1, 6, 6)
    code, cluster, probabilities, classes = results(dec_file, images)
    for found, name in ((code, "codes"), (cluster, "clusters"), (probabilities, "soft")):
        wanted = np.concatenate([arrays[f"{name}_{split}"] for split in ("train", "test")])
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    one = results(dec_file, images[:1])  # any number of samples
    np.testing.assert_array_equal(one[1], cluster[:1])
    assert classes == Assigner(place / "RUN", "dec").class_names


def test_the_file_says_what_it_is_and_nothing_of_this_machine(place, dec_file):
    model = onnx.load(dec_file)
    about = {prop.key: prop.value for prop in model.metadata_props}
    assert about["method"] == "dec"
    assert json.loads(about["class_names"]) == Assigner(place / "RUN", "dec").class_names
    assert json.loads(about["input"])["dtype"] == "uint8"
    assert json.loads(about["input"])["shape"] == [None, 6, 6]
    assert {out.name for out in model.graph.output} == {"code", "cluster", "probabilities"}
    for word in (str(place), ".py", "site-packages"):
        assert word.encode() not in dec_file.read_bytes()


def test_a_table_goes_in_as_it_is(place, tmp_path, capsys):
    out = tmp_path / "table.onnx"
    assert main(["export", str(place / "TABLE"), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["input"]["dtype"] == "float32"
    assert told["checked_on"] == "the run's samples"
    assert max(told["codes_differ"], told["probabilities_differ"]) <= 1e-5
    arrays = read_codes(place / "TABLE", "gmm")
    rows = load_dataset(place / "table.npz").raw_test
    _, cluster, probabilities, _ = results(out, rows)
    np.testing.assert_array_equal(cluster, arrays["clusters_test"])
    np.testing.assert_allclose(probabilities, arrays["soft_test"], atol=1e-5)


def test_column_names_and_preparation_stand_in_it(place):
    assigner = Assigner(place / "TABLE", "gmm")
    said = {"column_names": list("abcde"), "preparation": {"medians": {"a": 1.0}}}
    assigner.config["data"] |= said
    about = of_assigner(assigner).about
    assert {name: about[name] for name in said} == said


@pytest.mark.parametrize(
    ("name", "method"), [("RUN", "kmeans"), ("TABLE", "gmm"), ("TABLE", "pixels")]
)
def test_made_samples_do_where_the_runs_are_gone(place, tmp_path, name, method):
    folder = shutil.copytree(place / name, tmp_path / name)
    config = json.loads((folder / "config.json").read_text())
    config["arguments"]["dataset"] = str(tmp_path / "gone.npz")
    (folder / "config.json").write_text(json.dumps(config))
    assigner = Assigner(folder, method)
    found = of_assigner(assigner)
    x, told = samples_to_check(assigner, input_of(assigner), None)
    assert "made" in told
    clusters = found.reference(x)[1]
    assert len(np.unique(clusters)) > 1  # they are not all far away
    for a, b in zip(outputs_of(found.model, x), found.reference(x), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5, rtol=1e-5)


def test_what_does_not_agree_is_refused(place, dec_file, tmp_path, assert_one_sentence):
    found = of_assigner(Assigner(place / "RUN", "dec"))
    x, content = small_images(60)[0], dec_file.read_bytes()
    code, cluster, soft = found.reference(x)
    for wrong in (
        {"reference": lambda _: (code, 1 - cluster, soft)},
        {"reference": lambda _: (code + 1e-3, cluster, soft)},
        {"reference": lambda _: (code * np.nan, cluster, soft)},
        {"reference": lambda _: (code, cluster, soft + 4e-5)},
    ):
        with pytest.raises(InputError) as error:
            export.check(content, found._replace(**wrong), x, tmp_path / "no.onnx")
        assert_one_sentence(error, "does not agree", "no.onnx")


def narrow(assigner):
    """Put the first image between two clusters so narrow that a float32 code's last digits show."""
    codes = assigner.codes(small_images(60)[0])
    n_components, spread = codes.shape[1], codes.std()
    step = spread * np.eye(n_components)[0]
    between = codes[0] + 1e-5 * step
    centers = np.stack([between + step, between - step, codes[0] + 100 * spread])
    covariances = np.stack([1e-4 * spread**2 * np.eye(n_components)] * 3)
    assigner.head = MixtureHead(np.full(3, 1 / 3), centers, covariances)
    return assigner


@pytest.mark.parametrize("name", ["RUN", "CONV"])
def test_narrow_clusters_agree_too(place, tmp_path, name):
    assigner = narrow(Assigner(place / name, "kmeans"))
    found, x = of_assigner(assigner), small_images(60)[0]
    content = export.onnx_bytes(found, input_of(assigner), x[:2])
    differ = export.check(content, found, x, tmp_path / "no.onnx")
    assert max(differ) <= 1e-5
    in_float32 = assigner.head.assign(assigner.model.transform(x)).soft
    assert np.abs(in_float32 - found.reference(x)[2]).max() > 1e-5  # so the test can tell


def test_what_stands_beside_a_sample_does_not_change_it(place):
    assigner = narrow(Assigner(place / "RUN", "kmeans"))
    x = small_images(60)[0]
    together = assigner(x)
    for i in range(0, 60, 7):
        alone = assigner(x[i : i + 1])
        np.testing.assert_allclose(alone.soft, together.soft[i : i + 1], atol=1e-6)
        np.testing.assert_allclose(alone.distances, together.distances[i], rtol=1e-6)


def test_images_from_0_to_1_have_the_clusters_of_their_bytes(place):
    assigner = Assigner(place / "RUN", "kmeans")
    x = small_images(60)[0]
    of_bytes, of_floats = assigner(x), assigner(x / 255)
    np.testing.assert_array_equal(of_bytes.clusters, of_floats.clusters)
    np.testing.assert_allclose(of_floats.soft, of_bytes.soft, atol=1e-5)
    np.testing.assert_allclose(of_floats.shares, of_bytes.shares, atol=1e-5)


@pytest.mark.parametrize("shape", [(28, 28), (9, 7, 3)])
def test_convolutions_as_products_make_the_same_codes(shape):
    import torch

    generator = torch.Generator().manual_seed(0)
    images = torch.rand(5, int(np.prod(shape)), generator=generator).double()
    for network in (ConvAutoEncoder(shape), ConvHead(shape, 4)):
        initialize(network, generator)
        network.double().eval()
        other = without_convolutions(network)
        assert not any(isinstance(part, torch.nn.Conv2d) for part in other.modules())
        code_of = (n.encode if hasattr(n, "encode") else n for n in (network, other))
        with torch.no_grad():
            wanted, found = (function(images).numpy() for function in code_of)
        np.testing.assert_allclose(found, wanted, atol=1e-12)


# Classifiers


@pytest.mark.parametrize("n_classes", [2, 4])
def test_what_is_kept_of_a_classifier_predicts_as_it_does(digits, n_classes):
    import torch

    _, codes, y = digits
    codes, y = codes[y < n_classes].astype(np.float32), y[y < n_classes]
    labels = np.where(np.arange(len(y)) < 40, y, -1)
    kept = []
    for name, method in METHODS.items():
        model = method.make(0, None).fit(codes, labels)
        if (scores := scores_of_classifier(model)) is None:
            continue
        kept.append(name)
        scores = KINDS[scores.kind](scores.arrays())
        found = softmax_of(scores.scores_of(codes.astype(float)), axis=1)
        np.testing.assert_allclose(found, model.predict_proba(codes), atol=1e-5)
        with_torch = scores.on(torch).scores_of(torch.from_numpy(codes).double())
        np.testing.assert_allclose(torch.softmax(with_torch, 1).numpy(), found, atol=1e-9)
    assert sorted(kept) == sorted(KEPT)


@pytest.fixture(scope="module")
def classified(place):
    """Give a run with a classifier, and the table of its predictions."""
    folder = shutil.copytree(place / "RUN", place / "CLASSIFIED")
    words = ["--labels", place / "labels.csv", "--method", "knn", "--out", place / "knn.csv"]
    assert main(["classify", *map(str, [folder, *words])]) == 0
    return folder, pd.read_csv(place / "knn.csv")


def test_a_classifier_of_a_runs_codes_is_kept_with_them(place, classified):
    folder, table = classified
    names = {f"methods/kmeans/classifiers/knn.{ending}" for ending in ("json", "npz")}
    assert classifier_files(folder) == names
    assert names <= files_of_run(folder)
    assigner = Assigner(folder, "kmeans")
    found = of_classifier(assigner, "knn")
    data = load_dataset(place / "images.npz")
    table = table.set_index("id").loc[[int(i) for i in [*data.ids_train, *data.ids_test]]]
    x = both_splits(data)
    for _, cluster, soft in (found.reference(x), outputs_of(found.model, x)):
        assert [found.about["class_names"][c] for c in cluster] == table["prediction"].tolist()
        np.testing.assert_allclose(soft.max(axis=1), table["probability"], atol=1e-4)


def test_a_file_of_somebody_else_is_no_classifier_and_stays(place, tmp_path, capsys):
    folder = shutil.copytree(place / "RUN", tmp_path / "RUN")
    (folder / "methods" / "kmeans" / "classifiers").mkdir()
    path = folder / "methods" / "kmeans" / "classifiers" / "knn.json"
    path.write_text("{}")
    assert classifier_files(folder) == set()
    words = ["--labels", place / "labels.csv", "--method", "knn", "--out", tmp_path / "p.csv"]
    assert main(["classify", *map(str, [folder, *words])]) == 0
    assert "is not kept" in capsys.readouterr().err
    assert path.read_text() == "{}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format_version": 99}, "format_version 99"),
        ({"kind": "pickle"}, "its kind is 'pickle'"),
        ({"class_names": ["a"]}, "it tells 3 classes apart"),
        ({"class_names": 3}, "no list of text"),
        ({"vectors": np.zeros((12, 7))}, "cannot be used"),
        ({"temperature": np.array([-1.0])}, "of no classifier"),
        ({"n_neighbors": np.array([99.0])}, "of no classifier"),
        ({"one_hot": None}, "lacks the array one_hot"),
    ],
)
def test_a_kept_classifier_is_checked(classified, tmp_path, change, words, assert_one_sentence):
    folder = shutil.copytree(classified[0], tmp_path / "RUN")
    place = folder / "methods" / "kmeans" / "classifiers"
    content = json.loads((place / "knn.json").read_text())
    with np.load(place / "knn.npz") as archive:
        arrays = dict(archive)
    arrays |= {k: v for k, v in change.items() if isinstance(v, np.ndarray)}
    np.savez(place / "knn.npz", **{k: v for k, v in arrays.items() if change.get(k, v) is not None})
    (place / "knn.json").write_text(
        json.dumps(content | {k: v for k, v in change.items() if k in content})
    )
    with pytest.raises(InputError) as error:
        of_classifier(Assigner(folder, "kmeans"), "knn")
    assert_one_sentence(error, words)


@pytest.mark.parametrize("method", ["knn", "cluster-then-label"])
def test_a_file_keeps_the_smallest_shares(place, tmp_path, method):
    folder = shutil.copytree(place / "RUN", tmp_path / "RUN")
    words = ["--labels", place / "labels.csv", "--method", method, "--out", tmp_path / "p.csv"]
    assert main(["classify", *map(str, [folder, *words])]) == 0
    kept = folder / "methods" / "kmeans" / "classifiers" / f"{method}.npz"
    with np.load(kept) as archive:
        arrays = dict(archive)
    np.savez(kept, **arrays | {"temperature": np.array([5.0])})
    exported = export_run(folder, tmp_path / "m.onnx", method=method)
    assert exported.probabilities_differ <= TOLERANCE


# What is refused


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("kmean", "did you mean kmeans?"),
        ("label-spreading", "the neighbour graph of all samples"),
        ("fine-tuned-sorting", "it fine-tunes the encoder"),
        ("svm", "keeps no svm; make it with ae-cluster classify"),
    ],
)
def test_methods_that_are_not_there_are_told(place, tmp_path, method, words, assert_one_sentence):
    with pytest.raises(InputError) as error:
        export_run(place / "RUN", tmp_path / "new.onnx", method=method)
    assert_one_sentence(error, words)


def test_methods_that_no_network_can_hold_are_told(place, assert_one_sentence):
    assigner = Assigner(place / "RUN", "kmeans")
    assigner.head = CodeHead(np.zeros((2, 2)), np.array([0, 1]))
    with pytest.raises(InputError) as error:
        of_assigner(assigner)
    assert_one_sentence(error, "the nearest training code decides")
    assigner.model = N2D()
    with pytest.raises(InputError) as error:
        of_assigner(assigner)
    assert_one_sentence(error, "UMAP")


def test_a_baseline_is_told(place, tmp_path, assert_one_sentence):
    folder = shutil.copytree(place / "RUN", tmp_path / "RUN")
    config = json.loads((folder / "config.json").read_text())
    config["methods"]["kmeans"]["features"] = "pca"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError) as error:
        export_run(folder, tmp_path / "new.onnx", method="kmeans")
    assert_one_sentence(error, "is a baseline")


@pytest.mark.parametrize(
    ("out", "force", "words"),
    [
        ("new.txt", False, "must end in .onnx"),
        ("dec.onnx", False, "exists already"),
        ("foreign.onnx", True, "is no model that ae-cluster export wrote"),
        ("nowhere/new.onnx", False, "There is no folder"),
        ("folder.onnx", True, "is a folder"),
    ],
)  # fmt: skip
def test_nothing_of_others_is_replaced(place, dec_file, out, force, words, assert_one_sentence):
    (place / "foreign.onnx").write_bytes(b"mine")
    (place / "folder.onnx").mkdir(exist_ok=True)
    with pytest.raises(InputError) as error:
        export_run(place / "RUN", place / out, force=force)
    assert_one_sentence(error, words)
    assert (place / "foreign.onnx").read_bytes() == b"mine"
    export.check_place(dec_file, force=True)  # ours may be


def test_no_run_is_told(tmp_path, assert_one_sentence):
    with pytest.raises(InputError) as error:
        export_run(tmp_path, tmp_path / "new.onnx")
    assert_one_sentence(error, tmp_path)


def test_a_package_that_is_missing_is_told(place, tmp_path, monkeypatch, assert_one_sentence):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(InputError) as error:
        export_run(place / "RUN", tmp_path / "new.onnx")
    assert_one_sentence(error, 'pip install "ae-cluster[onnx]"')


# Every method


@pytest.mark.slow
def test_every_method_and_classifier_can_be_exported(place, tmp_path):
    make_run(tmp_path, "EVERY", place / "images.npz", *ALL, "n2d")
    make_run(tmp_path, "GIVEN", place / "table.npz", "gmm", "kmeans", features="given")
    for method in KEPT:
        words = ["--labels", place / "labels.csv", "--method", method, "--out", tmp_path / method]
        assert main(["classify", *map(str, [tmp_path / "EVERY", *words])]) == 0
    wanted = [("EVERY", method) for method in (*ALL, *KEPT)]
    for name, method in [*wanted, ("TABLE", "pixels"), ("GIVEN", "gmm"), ("GIVEN", "kmeans")]:
        folder = place if name == "TABLE" else tmp_path
        out = tmp_path / f"{name}-{method}.onnx"
        found = export_run(folder / name, out, method=method)
        assert found.checked_on == "the run's samples"
        assert found.n_checked == 60
        assert max(found.codes_differ, found.probabilities_differ) <= 1e-5
    with pytest.raises(InputError, match="UMAP"):
        export_run(tmp_path / "EVERY", tmp_path / "n2d.onnx", method="n2d")
