"""What a run says beside its scores: nothing that was asked for is passed over in silence."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from ae_cluster import AutoEncoder, InputError, RunConfig, run
from ae_cluster.autoencoder.inputs import resolve_device
from ae_cluster.cli.main import main
from ae_cluster.figures import style, undrawable
from ae_cluster.figures.run import note_on_names

BYTES = (load_digits().images[:200] * 15).astype(np.uint8)
QUICK = ["--epochs", "1", "--draws", "1", "--budgets", "1", "--no-figures"]
FEW = {"epochs": 1, "draws": 1, "budgets": (1,)}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def said_by_run(*arguments, capsys):
    assert main(["run", *arguments, *QUICK]) == 0
    return capsys.readouterr()


# Options that do nothing here


@pytest.mark.filterwarnings("always")
def test_a_test_size_and_a_data_folder_that_are_not_used_are_named(capsys):
    options = ["--test-size", "0.4", "--data-home", "here", "--out", "a"]
    _, err = said_by_run(*options, capsys=capsys)
    assert "note: The test size of 0.4 is not used" in err
    assert "note: The data folder here is not used" in err


def test_resume_with_nothing_to_go_on_with_is_said(capsys):
    _, err = said_by_run("--resume", "--out", "a", capsys=capsys)
    assert "no interrupted run at" in err
    assert "starting from the beginning" in err


def test_fewer_principal_components_than_asked_for_are_said(capsys):
    iris = load_iris()
    np.savez("iris.npz", x=iris.data, y=iris.target)
    options = ["iris.npz", "--n-clusters", "3", "--n-components", "6"]
    _, err = said_by_run(*options, "--out", "a", capsys=capsys)
    assert "PCA has only 4 components here, not 6" in err
    _, err = said_by_run(*options[:3], "--out", "b", capsys=capsys)
    assert "PCA has only" not in err


# Words


def test_one_epoch_and_one_draw_are_singular(capsys):
    out, err = said_by_run("--out", "a", capsys=capsys)
    assert "for 1 epoch …" in err
    assert "Test accuracy from a few labels (one draw):" in out
    assert "look at the figures" not in out + err


def test_how_few_labels_the_scores_rest_on_is_said(capsys):
    rng = np.random.default_rng(0)
    np.savez("f.npz", x=rng.random((40, 6)), y=np.arange(40) % 2)
    labels = np.full(40, -1)
    labels[::2] = rng.integers(0, 2, 20)
    np.savez("few.npz", x_train=rng.random((40, 6)), y_train=labels, x_test=rng.random((10, 6)),
             y_test=[0, 1, 0, *[-1] * 7])  # fmt: skip
    _, err = said_by_run("few.npz", "--n-clusters", "2", "--out", "a", capsys=capsys)
    assert "Scores are of the 3 test rows that have a label." in err
    _, err = said_by_run("f.npz", "--n-clusters", "2", "--out", "b", capsys=capsys)
    assert "Scores are of" not in err


def test_unlabelled_data_get_silhouettes_and_cluster_sizes(capsys):
    np.savez("d.npz", x=BYTES)
    out, _ = said_by_run("d.npz", "--n-clusters", "4", "--out", "a", capsys=capsys)
    header = out.splitlines()[1].split()
    assert header == ["silhouette", "seconds"]
    assert "look at the figures" not in out
    sizes = out.split("largest first:\n")[1].splitlines()[:2]
    for line, method in zip(sizes, ("kmeans", "gmm"), strict=True):
        name, listed = line.strip().split(": ")
        with np.load(f"a/methods/{method}/codes.npz") as found:
            expected = np.bincount(found["clusters_test"], minlength=4)
        assert name == method
        assert [int(n) for n in listed.split()] == sorted(expected, reverse=True)
        assert expected.sum() == 40


# Devices, learning rates, links


@pytest.mark.parametrize("device", ["meta", "xla", "fpga", "vulkan", "nonsense", ""])
def test_a_device_that_cannot_hold_data_is_refused(device, assert_one_sentence):
    with pytest.raises(InputError) as error:
        resolve_device(device)
    assert_one_sentence(error, repr(device), "'cpu' or 'auto'")


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize(("rate", "code"), [("1e300", 2), ("1e12", 0)])
def test_a_learning_rate_far_too_large_is_called_that(rate, code, capsys):
    assert main(["run", "--out", "a", "--learning-rate-init", rate, *QUICK]) == code
    said = capsys.readouterr().err
    assert "learning_rate_init is too large" in said
    assert "codes holds NaN" not in said
    assert ("all samples have the same code" in said) == (code == 0)


def test_force_replaces_what_a_link_leads_to(tmp_path):
    run(RunConfig(**FEW), "real", figures=False)
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(InputError, match="--force"):
        run(RunConfig(seed=1, **FEW), "link", figures=False)
    run(RunConfig(seed=1, **FEW), "link", figures=False, force=True)
    assert (tmp_path / "link").is_symlink()
    assert '"seed": 1' in (tmp_path / "real" / "config.json").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_force_through_a_link_spares_what_is_no_run(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    (tmp_path / "link").symlink_to("mine")
    with pytest.raises(InputError, match=r"not a folder that ae-cluster wrote.*notes\.txt"):
        run(RunConfig(**FEW), "link", figures=False, force=True)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"


def test_a_loaded_model_has_every_attribute_of_a_fitted_one(tmp_path):
    model = AutoEncoder(3, (8,), max_iter=1, n_snapshots=5, random_state=0).fit(BYTES)
    model.save(tmp_path / "model")
    loaded = AutoEncoder.load(tmp_path / "model")
    assert loaded.snapshots_ is None
    fitted = {name for name in vars(model) if name.endswith("_")}
    assert fitted <= set(vars(loaded))


# Names that no font has


def test_class_names_no_font_has_become_numbers_and_that_is_said(monkeypatch):
    assert undrawable(["cat", "Ärmel", "αβγ", ""]) == []
    monkeypatch.setattr(style, "_letters", lambda: frozenset(map(ord, "cat")))
    assert style.names_of(4, ["cat", "数字", "act"]) == ["cat", "1", "act", "3"]
    note = note_on_names(["cat", "数字"])
    assert "can draw 数字:" in note
    assert "number" in note
    assert note_on_names(["cat"]) == ""
