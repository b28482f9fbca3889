"""Embeddings of a user's own are clustered, and the samples that they are of are shown."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
from explorer_page import content_of
from picture_folders import fruits

from ae_cluster import InputError, load_dataset, read_scores
from ae_cluster.cli.main import main
from ae_cluster.records.reading import read_run_config

N = 40
QUICK = ["--n-clusters", "2", "--epochs", "2", "--draws", "1", "--budgets", "1"]


def embeddings(ids):
    """Return rows in which apples and pears lie far apart, in the order of the ids."""
    rng = np.random.default_rng(1)
    kind = np.array([hash_of(name) for name in ids])
    return kind[:, None] * 9 + rng.normal(size=(len(ids), 5))


def hash_of(name):
    return int(name.rsplit("Bild ", 1)[1].split(".")[0]) % 2


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with pictures, and the same embeddings of them in each format, shuffled."""
    folder = tmp_path_factory.mktemp("features")
    fruits(folder / "photos", N, sizes=((6, 8),))
    data = load_dataset(folder / "photos")
    ids = np.concatenate([data.ids_train, data.ids_test])
    in_order = ids[np.argsort(np.concatenate(data.places))]
    x = embeddings(in_order)
    np.save(folder / "x.npy", x)
    other = np.random.default_rng(2).permutation(N)
    np.savez(folder / "x.npz", x=x[other], ids=in_order[other])
    table = pd.DataFrame(x[other], columns=[f"e{i}" for i in range(5)])
    table.insert(0, "file", in_order[other])
    table.to_parquet(folder / "x.parquet")
    lists = pd.DataFrame({"id": in_order[other], "embedding": list(x[other].astype(np.float32))})
    lists.to_parquet(folder / "lists.parquet")
    indexed = table.set_index("file").rename_axis(None)
    indexed.to_parquet(folder / "indexed.parquet")
    return folder


@pytest.mark.filterwarnings("ignore:x.npy holds no ids")
@pytest.mark.parametrize(
    "name", ["x.npy", "x.npz", "x.parquet", "lists.parquet", "indexed.parquet"]
)
def test_each_sample_has_its_row_whatever_the_order_in_the_file(place, name):
    data = load_dataset(place / "photos", features=place / name)
    assert data.name == f"photos ({name})"
    assert data.is_table
    assert data.raw_train.shape == (32, 5)
    for ids, rows in ((data.ids_train, data.raw_train), (data.ids_test, data.raw_test)):
        assert ((rows.mean(axis=1) > 4.5) == [hash_of(i) for i in ids]).all()
    before = load_dataset(place / "photos")
    assert data.shown.image_shape == (6, 8, 3)
    np.testing.assert_array_equal(data.shown.raw_test, before.raw_test)
    assert data.fingerprint not in (before.fingerprint, load_dataset(
        place / "photos", features=place / "x.npz", seed=1).fingerprint)  # fmt: skip


@pytest.mark.filterwarnings("ignore:x.npy holds no ids")
def test_all_formats_give_the_same_fingerprint_and_rows(place):
    found = [load_dataset(place / "photos", features=place / n) for n in ("x.npy", "x.npz")]
    np.testing.assert_array_equal(found[0].raw_train, found[1].raw_train)
    assert found[0].fingerprint == found[1].fingerprint


def test_without_ids_the_order_is_said(place):
    said = r"x.npy holds no ids: .* from 'Äpfel/Bild 0.png' to 'unlabelled/Bild 39.tif'"
    with pytest.warns(UserWarning, match=said):
        load_dataset(place / "photos", features=place / "x.npy")


def test_rows_of_no_sample_and_samples_without_rows_are_named(place, tmp_path):
    with np.load(place / "x.npz") as arrays:
        x, ids = arrays["x"], arrays["ids"]
    np.savez(tmp_path / "few.npz", x=x[5:], ids=ids[5:])
    with pytest.raises(InputError, match=r"5 of 40 samples of photos have no features: '.*', …"):
        load_dataset(place / "photos", features=tmp_path / "few.npz")
    more = np.concatenate([ids, ["a", "b", "c", "d"]])
    np.savez(tmp_path / "more.npz", x=np.concatenate([x, x[:4]]), ids=more)
    with pytest.warns(UserWarning, match=r"4 rows of features .* 'a', 'b', 'c', …"):
        load_dataset(place / "photos", features=tmp_path / "more.npz")
    np.savez(tmp_path / "twice.npz", x=x, ids=[*ids[:-1], ids[0]])
    with pytest.raises(InputError, match="stands for 2 samples"):
        load_dataset(place / "photos", features=tmp_path / "twice.npz")
    other = [unicodedata.normalize("NFD", name) for name in ids]
    np.savez(tmp_path / "mac.npz", x=x, ids=other)
    load_dataset(place / "photos", features=tmp_path / "mac.npz")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.ones((7, 3))}, "7 rows without ids, and photos has 40 samples"),
        ({"x": np.ones((N, 2)), "ids": np.arange(N)}, "have no features"),
        ({"x": np.ones((N, 2, 2))}, "give .n, numbers."),
        ({"x": np.array(3.0), "ids": np.arange(N)}, "give .n, numbers."),
        ({"x": np.ones(N)}, "give .n, numbers."),
        ({"x_train": np.ones((32, 3)), "x_test": np.ones((8, 3))}, "are not the training and test"),
        ({"x": np.full((N, 2), np.nan)}, "NaN"),
        ({"x": np.array([["a"]] * N)}, "real numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:x.npz holds no ids")
def test_features_that_do_not_fit_are_refused(place, tmp_path, arrays, said):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=said) as error:
        load_dataset(place / "photos", features=tmp_path / "x.npz")
    assert str(tmp_path) in str(error.value)


def test_tables_that_are_no_features_are_refused(place, tmp_path):
    table = pd.read_parquet(place / "x.parquet")
    table.assign(kind="a").to_parquet(tmp_path / "text.parquet")
    with pytest.raises(InputError, match="'kind' holds no numbers"):
        load_dataset(place / "photos", features=tmp_path / "text.parquet")
    lists = pd.DataFrame({"id": table["file"], "e": [np.ones(1 + (i < 3)) for i in range(N)]})
    lists.to_parquet(tmp_path / "lists.parquet")
    with pytest.raises(InputError, match="several lengths"):
        load_dataset(place / "photos", features=tmp_path / "lists.parquet")
    table.to_csv(tmp_path / "x.csv")
    with pytest.raises(InputError, match=r"\.npy, \.npz or \.parquet"):
        load_dataset(place / "photos", features=tmp_path / "x.csv")


@pytest.mark.heavy
def test_a_run_clusters_features_and_shows_pictures(place, capsys):
    out = place / "RUN"
    features = ["--features", str(place / "x.parquet"), "--out", str(out)]
    assert main(["run", str(place / "photos"), *features, *QUICK]) == 0
    err = capsys.readouterr().err
    assert "Clustering the features of photos (x.parquet)" in err
    assert "Training an autoencoder" not in err
    rows = read_scores(out)
    assert set(rows["dataset"]) == {"photos (x.parquet)"}
    assert set(rows["features"]) == {"given"}
    test = rows[(rows["split"] == "test") & rows["budget"].isna()]
    assert (test["accuracy"] == 1).all()
    pictures = content_of(out / "explorer.html")["pictures"]
    assert pictures["native"] == [6, 8, 3]
    assert sum(map(len, pictures["sheets"])) >= 1
    assert (out / "figures" / "clusters-kmeans.png").exists()
    assert "tiles.png" in {path.name for path in (out / "figures").glob("*.png")}
    assert main(["label", str(out), "--n-labels", "3"]) == 0
    assert (out / "labels" / "sheet.png").exists()
    assert read_run_config(out)["data"]["original"]["image_shape"] == [6, 8, 3]
    assert (
        main(["assign", str(out), str(place / "x.parquet"), "--out", str(place / "new.csv")]) == 0
    )
    found = pd.read_csv(place / "new.csv").set_index("id")["cluster"]
    before = pd.read_csv(out / "clusters.csv").set_index("id")["kmeans"]
    assert (found == before.reindex(found.index)).all()
    assert main(["assign", str(out), str(place / "photos"), "--out", str(place / "no.csv")]) == 2


def test_what_learns_codes_learns_them_of_features(place):
    features = ["--features", str(place / "x.npz"), "--no-figures", "--out", str(place / "LEARN")]
    methods = ["--method", "sorting", "--method", "dec", "--method", "pixels"]
    assert main(["run", str(place / "photos"), *features, *methods, *QUICK]) == 0
    rows = read_scores(place / "LEARN")
    assert set(rows["dataset"]) == {"photos (x.npz)"}
    assert {"sorting", "autoencoder", "pixels", "pca"} <= set(rows["features"])
    content = content_of(place / "LEARN" / "explorer.html")
    assert content["decoders"] == []
    assert "learnt from features" in content["methods"][0]["decoder_note"]


def test_features_are_words_or_files(place, capsys):
    with pytest.raises(SystemExit):
        main(["run", "digits", "--features", "nothing"])
    assert "neither autoencoder nor given nor a file" in capsys.readouterr().err
    missing = ["--features", str(place / "none.npy"), "--out", str(place / "NONE")]
    assert main(["run", "digits", *missing]) == 2
    assert "no such file" in capsys.readouterr().err
