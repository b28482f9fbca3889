"""Runs by every method's name and by clusterers of others, repeated and gone on with."""

import json
import os
import re
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from explorer_page import content_of, unpacked
from sklearn.datasets import load_digits

from ae_cluster import AutoEncoder, InputError, RunConfig, read_codes, read_scores, run
from ae_cluster.cli.main import main
from ae_cluster.clustering.estimators import class_of
from ae_cluster.explorer.decoders import read_decoder
from ae_cluster.explorer.run_arrays import read_run
from ae_cluster.methods import BASELINE, CLUSTERER, LEARNERS, METHODS
from ae_cluster.reports.comparison import comparison_report, read_runs

ROOT = Path(__file__).parents[1]
DIGITS = load_digits()
IMAGES, LABELS = (DIGITS.images[:200] * 15).astype(np.uint8), DIGITS.target[:200]
FEW = {"epochs": 1, "draws": 1, "budgets": (1,)}
QUICK = ["--epochs", "1", "--draws", "1", "--budgets", "1", "--no-figures"]
NAMES = tuple(method.name for method in METHODS)
HDBSCAN, SPECTRAL = "sklearn.cluster:HDBSCAN", "sklearn.cluster:SpectralClustering"

# One epoch of few samples is no healthy training, and says so.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ae_cluster.training.diagnostics.HealthWarning", "ignore:Number of distinct clusters"
)


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """Give the folder of a run by every name, and its rows."""
    folder = tmp_path_factory.mktemp("every")
    np.savez(folder / "d.npz", x=IMAGES, y=LABELS)
    config = RunConfig(str(folder / "d.npz"), n_clusters=4, methods=NAMES, **FEW)
    return folder / "run", run(config, folder / "run", figures=False)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("d.npz", x=IMAGES, y=LABELS)
    np.savez("codes.npz", x=np.random.default_rng(0).normal(size=(90, 70)), y=np.arange(90) % 3)
    return tmp_path


def of(rows, features, method, split="test"):
    found = rows[(rows["features"] == features) & (rows["method"] == method)]
    (row,) = found[(found["split"] == split) & found["budget"].isna()].itertuples()
    return row


def test_every_name_has_its_rows_and_its_folder(every):
    folder, rows = every
    assert {path.name for path in (folder / "methods").iterdir()} == set(NAMES)
    clusterings = rows[rows["budget"].isna()]
    assert (clusterings["status"] == "ok").all(), clusterings["reason"].tolist()
    ways = json.loads((folder / "config.json").read_text())["methods"]
    assert list(ways) == list(NAMES)
    for name, way in ways.items():
        row = of(rows, way["features"], way["method"])
        assert 0 <= row.accuracy <= 1
        (method,) = [method for method in METHODS if method.name == name]
        assert row.tuned_on == method.tuned_on
        assert row.uses_augmentation == method.uses_augmentation
        assert np.isnan(row.mse) == (method.kind == BASELINE)
    for name in ("sorting", "sorting-images"):  # plain clusterers find them again
        for method in ("kmeans", "gmm"):
            assert of(rows, name, method).mse == of(rows, name, name).mse


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learnt_model_is_kept_and_gives_codes_and_clusters_again(every, name):
    folder, _ = every
    model = class_of(name).load(folder / "methods" / name / "model")
    saved = read_codes(folder, name)
    test = IMAGES[saved["ids_test"].astype(int)].reshape(-1, 64)
    np.testing.assert_allclose(model.transform(test), saved["codes_test"], atol=1e-5)
    assert np.array_equal(model.predict(test), saved["clusters_test"])
    assert not (folder / "methods" / name / "learnt.json").exists()


def test_the_page_draws_with_every_decoder(every):
    folder, _ = every
    content = content_of(folder / "explorer.html")
    drawing = {m["name"] for m in content["methods"] if m["decoder"] is not None}
    assert drawing == {*LEARNERS, *(m.name for m in METHODS if m.kind == CLUSTERER)}
    shown = {row["shown_by"] for row in content["scores"]["rows"]}
    assert shown == {*NAMES, None}
    assert "sorting" in {row["name"] for row in content["scores"]["rows"]}


def test_the_page_decodes_sorting_codes_as_the_model_does(every):
    folder, _ = every
    place = folder / "methods" / "sorting" / "model"
    codes = read_codes(folder, "sorting")["codes_test"]
    decoder, note = read_decoder(place, codes)
    assert note == ""
    made = codes
    for layer in decoder["layers"]:
        made = made @ unpacked(layer["weight"]).T + unpacked(layer["bias"])
        made = np.maximum(made, 0) if layer["activation"] == "relu" else 1 / (1 + np.exp(-made))
    expected = class_of("sorting").load(place).inverse_transform(codes)
    np.testing.assert_allclose(made, expected, atol=1e-3)


@pytest.mark.usefixtures("here")
def test_run_folders_of_methods_can_be_compared_labelled_and_classified(every, capsys):
    folder, _ = every
    main(["run", "d.npz", "--n-clusters", "4", "--method", HDBSCAN, "--out", "other", *QUICK])
    report = comparison_report(read_runs([folder, Path("other")]))
    assert "autoencoder → HDBSCAN" in report
    assert "\n  sorting  " in report.replace("sorting        ", "sorting  ")
    assert "numbers of clusters differ" in report
    assert main(["explore", "other", "--split", "all"]) == 0
    assert main(["label", "other", "--n-labels", "3"]) == 0
    assert len(pd.read_csv("other/labels/to_label.csv")) == 3
    labels = pd.DataFrame({"id": range(20), "label": LABELS[:20]})
    labels.to_csv("labels.csv", index=False)
    assert main(["classify", "other", "--labels", "labels.csv"]) == 0
    assert len(pd.read_csv("predictions.csv")) == len(IMAGES)
    capsys.readouterr()


def test_the_first_method_named_gives_the_codes_that_classify_takes(every):
    from ae_cluster.runs.samples import samples_of_run

    folder, _ = every
    assert [method.name for method in read_run(folder).methods] == list(NAMES)
    codes = samples_of_run(folder).codes()
    both = [read_codes(folder, NAMES[0])[f"codes_{half}"] for half in ("train", "test")]
    assert np.array_equal(np.sort(codes, axis=0), np.sort(np.concatenate(both), axis=0))


@pytest.mark.heavy
def test_figures_of_what_learns_clusters_of_its_own(here):
    config = RunConfig("d.npz", n_clusters=4, methods=("idec",), **FEW)
    run(config, here / "out")
    assert {path.stem for path in (here / "out" / "figures").glob("*.png")} == {
        "tiles", "label-budget", "codes-idec", "confusion-idec", "clusters-idec",
        "reconstructions-idec", "reconstructions", "loss",
    }  # fmt: skip
    caption = (here / "out" / "figures" / "reconstructions-idec.txt").read_text()
    assert "rebuilt from their codes alone. They" in caption


# Clusterers of others


def test_noise_counts_as_wrong_and_the_number_found_is_told(here, capsys):
    assert main(["run", "d.npz", "--n-clusters", "4", "--method", HDBSCAN, "--method", "kmeans",
                 "--out", "a", "--epochs", "30", *QUICK[2:]]) == 0  # fmt: skip
    out, err = capsys.readouterr()
    found = read_codes(here / "a", "HDBSCAN")
    noise = found["clusters_test"] == -1
    assert noise.any()
    assert f"HDBSCAN leaves {noise.sum()} of 40 test samples in no cluster" in err
    assert "HDBSCAN cannot predict" in err
    assert "HDBSCAN itself is not saved" in err
    rows = read_scores(here / "a")
    row = of(rows, "autoencoder", "HDBSCAN")
    assert row.accuracy <= 1 - noise.mean()
    assert row.n_clusters == len(set(found["clusters_train"]) - {-1})
    assert not row.uses_k
    assert of(rows, "autoencoder", "kmeans").n_clusters == 4
    assert "\nHeld-out test scores:\n" in f"\n{out}"  # no one k for all
    files = {path.name for path in (here / "a" / "methods" / "HDBSCAN").iterdir()}
    assert files >= {"codes.npz", "classes.csv", "model"}
    model = AutoEncoder.load(here / "a" / "methods" / "HDBSCAN" / "model")  # that of the codes
    assert model.n_components == 3
    way = json.loads((here / "a" / "config.json").read_text())["methods"]["HDBSCAN"]
    assert way["clusterer"] == HDBSCAN
    assert way["test_clusters_by"] == "nearest training code"


@pytest.mark.usefixtures("here")
def test_without_k_only_methods_that_ask_for_none(capsys):
    np.savez("unlabelled.npz", x=IMAGES)
    assert main(["run", "unlabelled.npz", "--method", HDBSCAN, "--out", "a", *QUICK]) == 0
    out, err = capsys.readouterr()
    assert "clusters asked for" not in err
    (line,) = [line for line in out.splitlines() if line.startswith("  HDBSCAN: ")]
    sizes, _, noise = line.removeprefix("  HDBSCAN: ").partition(", in none ")
    assert sum(map(int, sizes.split())) + int(noise or 0) == 40
    assert main(["run", "unlabelled.npz", "--method", SPECTRAL, "--out", "b", *QUICK]) == 2
    assert "--n-clusters" in capsys.readouterr().err


def test_a_clusterer_that_fails_is_rows_that_say_so_and_exit_code_1(here, capsys):
    (here / "failing.py").write_text(
        "class Unlucky:\n    def fit_predict(self, X):\n        raise RuntimeError('no luck')\n"
    )
    with_it = ["run", "d.npz", "--n-clusters", "4", "--method", "failing:Unlucky"]
    assert main([*with_it, "--out", "a", *QUICK]) == 1
    assert "autoencoder → Unlucky failed: RuntimeError: no luck." in capsys.readouterr().out
    assert not (here / "a" / "methods").exists()
    assert main([*with_it, "--method", "gmm", "--out", "b", *QUICK]) == 0
    rows = read_scores(here / "b")
    assert of(rows, "autoencoder", "Unlucky").status == "failed"
    assert np.isnan(of(rows, "autoencoder", "Unlucky").accuracy)
    assert of(rows, "autoencoder", "gmm").status == "ok"
    capsys.readouterr()


def test_a_method_that_cannot_learn_is_rows_that_say_so(here, capsys):
    options = ["--method", "vade", "--method", "kmeans", "--kind", "conv", "--out", "a"]
    assert main(["run", "d.npz", "--n-clusters", "4", *options, *QUICK]) == 0
    rows = read_scores(here / "a")
    assert of(rows, "autoencoder", "vade").status == "failed"
    assert len(of(rows, "autoencoder", "vade").reason) > 20
    assert of(rows, "autoencoder", "kmeans").status == "ok"
    assert "vade failed: " in capsys.readouterr().err


def test_the_gallerys_ten_lines_add_a_method(here, capsys):
    script = (ROOT / "experiments/gallery/06_add_a_method.py").read_text(encoding="utf-8")
    (block,) = re.findall(r'^FARTHEST = """\n(.*?)"""', script, re.S | re.M)
    code = [line for line in block.splitlines() if line.strip() and not line.startswith("#")]
    assert len(code) <= 10
    (here / "farthest.py").write_text(block)
    (command,) = re.findall(r"ae-cluster (run .*--method farthest:\w+)", script)
    assert main([*command.split(), "--out", "a", *QUICK]) == 0
    row = of(read_scores(here / "a"), "autoencoder", command.rpartition(":")[2])
    assert row.status == "ok"
    assert row.uses_k
    assert row.n_clusters == 10
    capsys.readouterr()


# Again, and going on


def test_config_repeats_methods_and_what_is_said_beside_it_wins(here, capsys):
    first = ["--method", "n2d", "--method", SPECTRAL]
    main(["run", "d.npz", "--n-clusters", "4", *first, "--out", "a", *QUICK])
    main(["run", "--config", "a/config.json", "--trust-config", "--out", "b", "--no-figures"])
    main(["run", "--config", "a/config.json", "--method", "gmm", "--out", "c", "--no-figures"])
    capsys.readouterr()
    a, b, c = (json.loads(Path(f"{n}/config.json").read_text())["arguments"] for n in "abc")
    assert a == b
    assert a["methods"] == ["n2d", SPECTRAL]
    assert c["methods"] == ["gmm"]
    for method in ("n2d", "SpectralClustering"):
        found = [read_codes(here / name, method) for name in "ab"]
        assert all(np.array_equal(found[0][key], found[1][key]) for key in found[0])


def test_a_killed_run_goes_on_after_what_it_had_learnt(here, monkeypatch):
    from ae_cluster.runs import encoders

    config = RunConfig("d.npz", n_clusters=4, methods=("dcn", "vade"), **FEW)
    whole = run(config, here / "whole", figures=False)
    learner = encoders.FittedEncoders._learner
    learnt = []

    def killed(self, name, start):
        learnt.append(name)
        if name == "vade" and learnt.count("vade") == 1:
            raise KeyboardInterrupt
        return learner(self, name, start)

    monkeypatch.setattr(encoders.FittedEncoders, "_learner", killed)
    with pytest.raises(KeyboardInterrupt):
        run(config, here / "out", figures=False)
    again = run(config, here / "out", figures=False, resume=True)
    assert learnt == ["dcn", "vade", "vade"]
    measured = ["seconds", "peak_mb"]
    pd.testing.assert_frame_equal(whole.drop(columns=measured), again.drop(columns=measured))
    assert (again.loc[again["budget"].isna(), "seconds"] > 0).all()


def test_going_on_with_other_methods_keeps_nothing_of_the_earlier(here, monkeypatch):
    from ae_cluster.runs import run as runs

    def killed(*_):
        raise KeyboardInterrupt

    config = RunConfig("d.npz", n_clusters=4, methods=("dcn",), **FEW)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "write_config", killed)
        with pytest.raises(KeyboardInterrupt):
            run(config, here / "out", figures=False)
    other = RunConfig("d.npz", n_clusters=4, methods=("gmm",), **FEW)
    run(other, here / "out", figures=False, resume=True)
    assert [path.name for path in (here / "out" / "methods").iterdir()] == ["gmm"]


def test_ctrl_c_ends_a_learning_at_once(here, monkeypatch):
    from ae_cluster.clustering import deep
    from ae_cluster.runs import encoders

    def interrupted(self, *_):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        except KeyboardInterrupt:  # as a training does that is useful as it stands
            return self

    monkeypatch.setattr(deep.DCN, "fit", interrupted)
    config = RunConfig("d.npz", n_clusters=4, methods=("dcn",), **FEW)
    with pytest.raises(KeyboardInterrupt):
        run(config, here / "out", figures=False)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert (here / "out.partial" / encoders.CHECKPOINT).is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["digits", "--method", "sortin"], "ae-cluster methods"),
        (["codes.npz", "--n-clusters", "3", "--method", "sorting-images"], "--method sorting"),
        (["digits", "--features", "given"], "images"),
        (["codes.npz", "--features", "given", "--method", "dec", "--n-clusters", "3"], "table"),
        (["digits", "--method", "nowhere:X"], "nowhere"),
        (["digits", "--method", "dec", "--epochs", "0"], "--epochs 0"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_is_made(here, capsys, arguments, words):
    before = sorted(here.rglob("*"))
    assert main(["run", *arguments]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said.splitlines()[-1]
    assert "Training" not in said
    assert sorted(here.rglob("*")) == before


def test_permuted_training_labels_change_no_cluster_of_any_method(every, tmp_path):
    folder, _ = every
    first = {name: read_codes(folder, name) for name in ("sorting", "dec", "pixels")}
    x = {half: IMAGES[first["dec"][f"ids_{half}"].astype(int)] for half in ("train", "test")}
    np.savez(tmp_path / "p.npz", x_train=x["train"], x_test=x["test"],
             y_train=np.arange(len(x["train"])) % 7)  # fmt: skip
    config = RunConfig(str(tmp_path / "p.npz"), n_clusters=4, methods=tuple(first), **FEW)
    run(config, tmp_path / "out", figures=False)
    for name, arrays in first.items():
        again = read_codes(tmp_path / "out", name)
        for part in ("codes_train", "clusters_train", "codes_test", "clusters_test"):
            assert arrays[part].tobytes() == again[part].tobytes(), (name, part)


@pytest.mark.parametrize(
    "changed", [{"methods": ()}, {"methods": "kmeans"}, {"features": "pca"}, {"methods": (1,)}]
)
def test_a_config_edited_by_hand_is_checked(changed):
    (name,) = changed
    with pytest.raises(InputError, match=f"--{name}"):
        RunConfig(**changed).check()
