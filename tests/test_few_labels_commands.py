"""``classify`` and ``label`` as somebody with a file and ten labels meets them."""

from __future__ import annotations

import csv
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from ae_cluster.cli.main import build_parser, main
from ae_cluster.common.errors import InputError
from ae_cluster.datasets.dataset import file_order
from ae_cluster.methods import FINETUNED, FROZEN, classifier_names
from ae_cluster.runs.classify import Estimate, classify
from ae_cluster.runs.samples import Samples, samples_of
from ae_cluster.semi_supervised.finetuned.cross_entropy import FineTunedClassifier
from ae_cluster.semi_supervised.label_files import NamedLabels
from ae_cluster.semi_supervised.methods import FINETUNED_STARTS, METHODS

DIGITS = load_digits()
IMAGES = (DIGITS.images[:600] * 15).astype(np.uint8)
TRUTH = DIGITS.target[:600]


def few(per_class, truth=TRUTH):
    y = np.full(len(truth), -1)
    for c in np.unique(truth):
        y[np.flatnonzero(truth == c)[:per_class]] = c
    return y


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """Give a run on images without a label."""
    folder = tmp_path_factory.mktemp("run")
    np.savez(folder / "mine.npz", x=IMAGES)
    arguments = ["run", f"{folder}/mine.npz", "--n-clusters", "10", "--out", f"{folder}/run"]
    assert main([*arguments, "--epochs", "200", "--no-figures"]) == 0
    return folder / "run"


def refused(capsys, *arguments):
    before = sorted(Path().rglob("*"))
    code = main([*map(str, arguments)])
    out, err = capsys.readouterr()
    assert code == 2
    assert "Traceback" not in err + out
    assert sorted(Path().rglob("*")) == before
    return err.strip().splitlines()[-1]


# ---- classify


@pytest.mark.parametrize("method", ["label-spreading", "fine-tuned-autoencoder"])
def test_ctrl_c_ends_a_training_at_130_and_writes_no_table(capsys, method):
    np.savez("mine.npz", x=IMAGES, y=few(4))
    arguments = ["classify", "mine.npz", "--epochs", "100000", "--method", method]
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    assert main(arguments) == 130
    assert sorted(path.name for path in Path().iterdir()) == ["mine.npz"]
    assert capsys.readouterr().err.splitlines()[-1] == "ae-cluster: interrupted."
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_command_from_a_few_labels_to_a_table_in_the_files_order(capsys):
    np.savez("mine.npz", x=IMAGES, y=few(4))
    assert main(["classify", "mine.npz", "--epochs", "60"]) == 0
    table = pd.read_csv("predictions.csv")

    assert list(table) == ["id", "label", "prediction", "probability"]
    assert table["id"].tolist() == list(range(600))
    assert table["label"].notna().sum() == 40
    assert (table["prediction"] == TRUTH).mean() > 0.75
    assert table["probability"].between(0.1, 1).all()
    said = capsys.readouterr().out
    assert "learnt from 40 labels and 560 samples without" in said
    assert "by cross-validation on the labels: 40 were each predicted without it" in said


def test_labels_in_a_file_are_learnt_and_those_in_the_data_only_score(capsys):
    np.savez("mine.npz", x=IMAGES, y=TRUTH)
    np.save("y.npy", few(3))
    told = ["--epochs", "5", "--method", "knn"]
    main(["classify", "mine.npz", "--labels", "y.npy", "--out", "first.csv", *told])
    said = capsys.readouterr().out
    np.savez("mine.npz", x=IMAGES, y=np.where(few(3) >= 0, TRUTH, (TRUTH + 1) % 10))
    main(["classify", "mine.npz", "--labels", "y.npy", "--out", "second.csv", *told])

    assert "against 570 labels in the data that were not learnt from" in said
    assert Path("first.csv").read_bytes() == Path("second.csv").read_bytes()


def test_names_of_classes_come_back(capsys):
    names = np.array(["zero", "one", "two", *"3456789"])
    np.savez("mine.npz", x=IMAGES, ids=[f"scan-{i}" for i in range(600)])
    with Path("labels.csv").open("w") as file:
        file.write("id,label\n")
        file.writelines(f"scan-{i},{names[TRUTH[i]]}\n" for i in np.flatnonzero(few(2) >= 0))
    main(["classify", "mine.npz", "--labels", "labels.csv", "--out", "out.csv", "--epochs", "5"])
    table = pd.read_csv("out.csv", dtype=str).set_index("id")

    assert set(table["prediction"]) <= set(names)
    assert table.loc["scan-0", "label"] == "zero"
    assert "by cross-validation" in capsys.readouterr().out


def test_one_label_per_class_gives_predictions_and_no_estimate(capsys):
    np.savez("mine.npz", x=IMAGES, y=few(1))
    assert main(["classify", "mine.npz", "--epochs", "2"]) == 0

    assert main(["classify", "mine.npz", "--epochs", "2", "--force"]) == 0
    said = capsys.readouterr().out
    assert "How good that is cannot be told: no class has two labels" in said
    assert "interval" not in said


def test_what_cannot_be_classified_is_one_sentence(capsys):
    np.savez("none.npz", x=IMAGES)
    np.savez("one.npz", x=IMAGES, y=np.where(TRUTH == 3, 3, -1))
    np.savez("all.npz", x=IMAGES, y=TRUTH)
    np.savez("few.npz", x=IMAGES, y=few(2))
    Path("there.csv").write_text("")

    assert "none.npz holds no label; give some with --labels" in refused(
        capsys, "classify", "none.npz"
    )
    assert "All labels of one.npz are '3'" in refused(capsys, "classify", "one.npz")
    assert "Every sample of all.npz has a label" in refused(capsys, "classify", "all.npz")
    assert "did you mean knn" in refused(capsys, "classify", "few.npz", "--method", "knnn")
    assert "there.csv exists already" in refused(
        capsys, "classify", "few.npz", "--out", "there.csv"
    )
    assert "There is no folder" in refused(capsys, "classify", "few.npz", "--out", "no/p.csv")
    assert "there is no such file" in refused(capsys, "classify", "few.npz", "--labels", "no.csv")
    assert "no data set and no file called 'mnits'" in refused(capsys, "classify", "mnits")


def blobs(n, n_labelled, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    codes = rng.normal(size=(n, 2)) + 3 * truth[:, None]
    y = np.where(np.arange(n) < n_labelled, truth, -1)
    names = ("a", "b", "c")
    samples = Samples("b", np.arange(n).astype(str), lambda: codes, NamedLabels(y, names))
    return samples, truth


@pytest.mark.parametrize("method", ["knn", "label-spreading"])
def test_the_estimates_interval_holds_the_truth(method):
    inside = 0
    for seed in range(20):
        samples, truth = blobs(900, 60, seed)
        found = classify(samples, None, method, 0)
        right = (found.table["prediction"] == np.array([*"abc"])[truth])[60:].mean()
        inside += found.estimate.low <= right <= found.estimate.high

    assert inside >= 17


def test_equal_samples_with_different_labels_are_told():
    samples, _ = blobs(100, 20)
    codes = samples.codes().copy()
    columns = samples.labels.columns.copy()
    codes[1], columns[:2] = codes[0], [0, 1]
    same = samples._replace(codes=lambda: codes, labels=NamedLabels(columns, samples.labels.names))

    assert classify(samples, None, "knn", 0).twins == 0
    assert classify(same, None, "knn", 0).twins == 2


def test_wilsons_interval():
    found = Estimate.of(np.array([True] * 9 + [False]))

    assert (found.accuracy, found.n) == (0.9, 10)
    assert (round(found.low, 3), round(found.high, 3)) == (0.596, 0.982)


def test_numbered_samples_are_put_back_into_their_files_order():
    assert file_order(np.array(["2", "10", "1"])).tolist() == [2, 0, 1]
    halves = np.array(["train-10", "train-9", "test-0"])
    assert file_order(halves).tolist() == [1, 0, 2]
    assert file_order(np.array(["b", "a"])).tolist() == [0, 1]


def test_the_commands_methods_are_all_there_are():
    assert tuple(METHODS) == classifier_names(FROZEN)
    assert tuple(FINETUNED_STARTS) == classifier_names(FINETUNED)
    assert build_parser().parse_args(["classify", "x"]).method in METHODS


def test_help_says_which_method_is_of_which_family(capsys):
    with pytest.raises(SystemExit):
        main(["classify", "--help"])
    frozen, finetuned = capsys.readouterr().out.split("methods that fine-tune the encoder")

    listed = frozen.split("methods on frozen codes")[1]
    assert all(name in listed for name in METHODS)
    assert all(f"\n  {name} " in finetuned for name in FINETUNED_STARTS)


# ---- classify with a fine-tuned encoder


@pytest.fixture
def _quick(monkeypatch):
    """Let the methods that fine-tune the encoder take seconds."""
    from ae_cluster.semi_supervised import methods

    for name, method in methods.FINETUNED_METHODS.items():
        made = lambda seed, start, make=method.make: make(seed, start).set_params(  # noqa: E731
            max_iter=1, min_steps=60
        )
        monkeypatch.setitem(methods.FINETUNED_METHODS, name, method._replace(make=made))


@pytest.mark.usefixtures("_quick")
def test_fine_tuning_learns_from_the_images_of_a_file(capsys):
    np.savez("mine.npz", x=IMAGES, y=few(4))
    assert (
        main(["classify", "mine.npz", "--epochs", "60", "--method", "fine-tuned-autoencoder"]) == 0
    )
    table = pd.read_csv("predictions.csv")

    assert table["id"].tolist() == list(range(600))
    assert (table["prediction"] == TRUTH).mean() > 0.5
    said = capsys.readouterr()
    assert "fine-tuned-autoencoder learnt from 40 labels and 560 samples" in said.out
    assert "learning takes minutes" in said.err


@pytest.mark.usefixtures("_quick")
def test_what_takes_minutes_is_taught_for_three_folds_not_five(monkeypatch, capsys):
    taught = []
    learn = FineTunedClassifier._learn

    def counted(self, prepared, labeling):
        taught.append(len(labeling.labelled))
        return learn(self, prepared, labeling)

    monkeypatch.setattr(FineTunedClassifier, "_learn", counted)
    np.savez("mine.npz", x=IMAGES, y=few(6))
    # By its name of before, which is read for ever.
    assert main(["classify", "mine.npz", "--epochs", "1", "--method", "fine-tuning"]) == 0

    # All 60 labels, thrice 40 of them, and each once more less a third to calibrate by.
    assert sorted(taught) == [20, 20, 20, 40, 40, 40, 40, 60]
    assert "60 were each predicted without it" in capsys.readouterr().out


@pytest.mark.heavy
@pytest.mark.usefixtures("_quick")
def test_taught_sorting_makes_as_many_clusters_as_the_labels_have_classes(monkeypatch):
    from ae_cluster import SortingAutoEncoder, SortingClassifier

    made = []
    fit = SortingAutoEncoder.fit

    def shortened(self, X, y=None):
        made.append((self.n_clusters, self.image_prior, self.input_kind))
        return fit(self.set_params(min_steps=60, decoder_max_iter=1), X, y)

    monkeypatch.setattr(SortingAutoEncoder, "fit", shortened)
    monkeypatch.setitem(SortingClassifier.__init__.__kwdefaults__, "min_steps", 100)
    chosen = TRUTH < 4
    np.savez("mine.npz", x=IMAGES[chosen], y=few(2, TRUTH[chosen]))
    told = ["classify", "mine.npz", "--epochs", "1", "--method", "fine-tuned-sorting"]
    assert main(told) == 0

    assert made == [(4, False, "images")]
    assert (pd.read_csv("predictions.csv")["prediction"] == TRUTH[chosen]).mean() > 0.8


def test_an_encoder_that_cannot_be_fine_tuned_is_one_sentence(run_folder, capsys):
    rng = np.random.default_rng(0)
    np.savez(
        "table.npz", x=rng.normal(size=(60, 5)), y=np.where(np.arange(60) < 6, [0, 1] * 30, -1)
    )
    np.save("y.npy", few(1))

    assert "a table, and an image prior needs images; take --method fine-tuned-sorting" in refused(
        capsys, "classify", "table.npz", "--method", "fine-tuned-sorting-images"
    )
    assert "needs the samples themselves, and a run's folder holds their codes" in refused(
        capsys, "classify", run_folder, "--labels", "y.npy", "--method", "fine-tuned-autoencoder"
    )
    assert "did you mean fine-tuned-autoencoder" in refused(
        capsys, "classify", "table.npz", "--method", "finetuned-autoencoder"
    )


# ---- label


def test_a_sheet_to_label_and_the_answers_back_to_a_classification(run_folder, capsys):
    assert main(["label", str(run_folder), "--n-labels", "30", "--force"]) == 0
    questions = run_folder / "labels" / "to_label.csv"
    with questions.open() as file:
        rows = list(csv.DictReader(file))
    asked = [row["id"] for row in rows]

    assert len(set(asked)) == 30
    assert [row["number"] for row in rows] == [str(i + 1) for i in range(30)]
    assert (run_folder / "labels" / "sheet.png").stat().st_size > 5000
    Path("filled.csv").write_text("id,label\n" + "".join(f"{i},{TRUTH[int(i)]}\n" for i in asked))
    assert main(["label", str(run_folder), "--answers", "filled.csv"]) == 0
    labels = run_folder / "labels" / "labels.csv"
    assert f"30 labels: {labels}" in capsys.readouterr().out

    assert main(["classify", str(run_folder), "--labels", str(labels), "--out", "p.csv"]) == 0
    assert (pd.read_csv("p.csv")["prediction"] == TRUTH).mean() > 0.6

    assert main(["label", str(run_folder), "--n-labels", "30", "--force"]) == 0
    with questions.open() as file:
        assert not {row["id"] for row in csv.DictReader(file)} & set(asked)


def test_the_numbered_table_itself_is_filled_in_and_read_by_its_ids(run_folder):
    assert main(["label", str(run_folder), "--n-labels", "12", "--force"]) == 0
    with (run_folder / "labels" / "to_label.csv").open() as file:
        rows = list(csv.DictReader(file))
    turned = [f"{row['number']},{row['id']},{TRUTH[int(row['id'])]}\n" for row in rows[::-1]]
    Path("turned.csv").write_text("number,id,label\n" + "".join(turned))

    assert main(["label", str(run_folder), "--answers", "turned.csv"]) == 0
    with (run_folder / "labels" / "labels.csv").open() as file:
        kept = {row["id"]: row["label"] for row in csv.DictReader(file)}
    assert {row["id"]: kept[row["id"]] for row in rows} == {
        row["id"]: str(TRUTH[int(row["id"])]) for row in rows
    }


def test_labelling_that_cannot_be_done_is_one_sentence(run_folder, capsys):
    main(["label", str(run_folder), "--force"])
    questions = run_folder / "labels" / "to_label.csv"
    capsys.readouterr()

    assert "exists already" in refused(capsys, "label", run_folder)
    assert "no label yet" in refused(capsys, "label", run_folder, "--answers", questions)
    assert "say one of them" in refused(
        capsys, "label", run_folder, "--answers", questions, "--n-labels", "3"
    )
    assert "config.json" in refused(capsys, "label", "nowhere")
    assert "10000 samples to label cannot be suggested" in refused(
        capsys, "label", run_folder, "--n-labels", "10000", "--force"
    )


def test_codes_of_a_run_are_taken_as_they_are(run_folder):
    samples = samples_of(str(run_folder))

    assert samples.codes().shape == (600, 3)
    assert samples.ids.tolist() == [str(i) for i in range(600)]
    with pytest.raises(InputError, match="holds no label"):
        classify(samples, None, "knn", 0)
