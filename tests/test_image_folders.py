"""A folder of pictures becomes a data set: classes, ids, order, sizes, and what is refused."""

import os
import re
import warnings

import numpy as np
import pytest
from picture_folders import COLOURS, fruits, png_that_says, save

from ae_cluster import InputError, load_dataset
from ae_cluster.datasets.streaming import open_table

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


def every(data):
    """Return pixels, labels by name and ids of a data set, in the order of the ids."""
    ids = np.concatenate([data.ids_train, data.ids_test])
    raw = np.concatenate([data.raw_train, data.raw_test])
    labels = [
        np.full(len(part), -1) if y is None else y
        for part, y in ((data.raw_train, data.y_train), (data.raw_test, data.y_test))
    ]
    names = np.array([*data.class_names, ""])[np.concatenate(labels)]
    return {i: (x, name) for i, x, name in zip(ids, raw, names, strict=True)}


def test_folders_are_classes_and_names_are_ids(tmp_path):
    fruits(tmp_path, 30)
    save(tmp_path / "loose one.png", GREY)
    data = load_dataset(tmp_path, image_size=(6, 8))
    assert data.image_shape == (6, 8, 3)
    assert data.class_names == tuple(sorted(COLOURS))
    assert data.n_clusters is None
    found = every(data)
    assert len(found) == 31
    assert found["Äpfel/Bild 2.webp"][1] == "Äpfel"
    assert found["unlabelled/Bild 4.tif"][1] == ""
    assert found["loose one.png"][1] == ""
    for name, (pixels, label) in found.items():
        if label:
            mean = pixels.reshape(-1, 3).mean(axis=0)
            assert np.abs(mean - COLOURS[label]).max() < 15, name


def test_names_are_in_natural_order_whatever_the_disk_says(tmp_path):
    for i in (10, 9, 1, 100, 2):
        save(tmp_path / f"b{i}.png", GREY + np.uint8(i))
    save(tmp_path / "a.png", GREY)
    names = np.concatenate([ids for ids, _ in open_table(tmp_path, image_shape=(6, 8))]).tolist()
    assert names == ["a.png", "b1.png", "b2.png", "b9.png", "b10.png", "b100.png"]
    split = load_dataset(tmp_path)
    assert [*split.ids_train] == [name for name in names if name in set(split.ids_train)]


def test_train_and_test_folders_are_the_split(tmp_path):
    for half, n in (("train", 4), ("Test", 2)):
        for kind in "xy":
            for i in range(n):
                save(tmp_path / half / kind / f"{i}.png", GREY + np.uint8(i + n))
    save(tmp_path / "val" / "x" / "0.png", GREY)
    with pytest.warns(UserWarning, match=r"1 picture\(s\) are neither in train/ nor in test/"):
        data = load_dataset(tmp_path)
    assert {name.split("/")[0] for name in data.ids_train} == {"train"}
    assert {name.split("/")[0] for name in data.ids_test} == {"Test"}
    assert (len(data.ids_train), len(data.ids_test)) == (8, 4)
    assert data.class_names == ("x", "y")
    assert data.y_test.tolist() == [0, 0, 1, 1]


def test_folders_around_all_pictures_are_no_classes(tmp_path):
    for kind in "xy":
        for i in range(3):
            save(tmp_path / "set" / "photos" / kind / f"{i}.png", GREY + np.uint8(i))
    assert load_dataset(tmp_path).class_names == ("x", "y")
    one = load_dataset(tmp_path / "set" / "photos" / "x")
    assert one.class_names == ()
    assert one.y_train is None
    (tmp_path / "set" / "photos" / "y").rename(tmp_path / "set" / "photos" / ".y")
    with pytest.warns(UserWarning, match=r"1 hidden file"):
        assert load_dataset(tmp_path).class_names == ()


def test_pictures_without_colours_have_one_channel(tmp_path):
    for i in range(4):
        save(tmp_path / f"{i}.png", np.repeat((GREY + np.uint8(i))[..., None], 3, axis=2))
    assert load_dataset(tmp_path).image_shape == (6, 8)
    save(tmp_path / "coloured.png", np.stack([GREY, GREY, GREY + np.uint8(9)], axis=2))
    data = load_dataset(tmp_path)
    assert data.image_shape == (6, 8, 3)
    np.testing.assert_array_equal(every(data)["1.png"][0], np.repeat(GREY.ravel() + 1, 3))
    assert load_dataset(tmp_path, grey=True).image_shape == (6, 8)


def test_several_sizes_need_one_to_be_said(tmp_path):
    fruits(tmp_path, 9)
    said = r"'Äpfel/Bild 0.png' has 12 x 16 and .* has \d+ x \d+ .*--image-size 12x16"
    with pytest.raises(InputError, match=said):
        load_dataset(tmp_path)


def test_large_pictures_need_a_size(tmp_path):
    save(tmp_path / "a.png", np.zeros((2100, 2100), np.uint8))
    with pytest.raises(InputError, match=r"2,100 x 2,100 pixels.*--image-size 64x64"):
        load_dataset(tmp_path)
    for i in range(3):
        save(tmp_path / f"{'abc'[i]}.png", np.full((300, 400), i, np.uint8))
    with pytest.warns(UserWarning, match=r"120,000 numbers.*--image-size 48x64"):
        assert load_dataset(tmp_path).image_shape == (300, 400)


def test_broken_pictures_are_named_or_left_out(tmp_path):
    fruits(tmp_path, 30, sizes=((9, 9),), broken=(0, 1, 2, 8))
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InputError) as error:
        load_dataset(tmp_path)
    said = str(error.value)
    assert "5 of 31 picture(s) cannot be read" in said
    assert len(re.findall(r"'[^']+' \(it is ", said)) == 3
    assert "--skip-unreadable" in said
    with pytest.warns(UserWarning, match=r"5 of 31 picture\(s\) cannot be read.*left out"):
        found = every(load_dataset(tmp_path, skip_unreadable=True))
    assert len(found) == 26
    assert "text.png" not in found
    assert found["Äpfel/Bild 6.jpg"][1] == "Äpfel"
    for path in tmp_path.rglob("*.*"):
        path.write_bytes(b"x")
    with pytest.raises(InputError, match=r"31 of 31 picture\(s\) cannot be read"):
        load_dataset(tmp_path, skip_unreadable=True)


@pytest.mark.parametrize(("most", "is_said"), [(4095, True), (200, True), (60_000, False)])
def test_twelve_bits_in_files_of_sixteen_are_told_with_their_range(tmp_path, most, is_said):
    rng = np.random.default_rng(0)
    for i in range(6):
        pixels = rng.integers(0, most, (8, 8), dtype=np.uint16)
        pixels[0, :2] = 0, most - 1
        save(tmp_path / f"{i}.png", pixels)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if most == 200:
            with pytest.raises(InputError, match="only the bytes 0 and 1"):
                load_dataset(tmp_path)
        else:
            load_dataset(tmp_path)

    told = [str(w.message) for w in caught if "nearly black" in str(w.message)]
    assert len(told) == is_said
    assert all(f"numbers up to {most - 1:,} of 65,535" in sentence for sentence in told)
    assert all(f"by {65535 // (most - 1)} before" in sentence for sentence in told)


def test_what_is_no_picture_of_the_folder_is_counted(tmp_path):
    home = tmp_path / "mine"
    for i in range(4):
        save(home / f"{i}.png", GREY + np.uint8(i))
    (home / "notes.txt").write_text("x")
    (home / "folder.png").mkdir()
    (home / ".hidden.png").write_bytes(b"x")
    (home / "Thumbs.db").write_bytes(b"x")
    save(tmp_path / "outside.png", GREY)
    (home / "link.png").symlink_to("../outside.png")
    (home / "links").symlink_to("..")
    (home / "inside.png").symlink_to("1.png")
    (home / "gone.png").symlink_to("nothing.png")
    os.mkfifo(home / "pipe.png")
    with pytest.warns(UserWarning, match="Left out of mine") as said:
        data = load_dataset(home)
    assert sorted(every(data)) == ["0.png", "1.png", "2.png", "3.png", "inside.png"]
    assert str(said[0].message) == (
        "Left out of mine: 2 hidden and 3 of other types file(s), 2 link(s) that lead out of the "
        "folder; copy the files into it to have them read."
    )


def test_names_that_are_no_unicode_are_spelled_out(tmp_path):
    for i in range(3):
        save(tmp_path / f"{i}.png", GREY + np.uint8(i))
    try:
        (tmp_path / "2.png").rename(tmp_path / os.fsdecode(b"\xff.png"))
    except OSError:
        pytest.skip("this disk takes no such names")
    assert "\\udcff.png" in every(load_dataset(tmp_path))


@pytest.mark.parametrize("make", [lambda _: None, lambda path: (path / "a.txt").write_text("x")])
def test_a_folder_without_pictures_is_refused(tmp_path, make):
    make(tmp_path)
    with pytest.raises(InputError, match=r"a folder without pictures \(\.png, \.jpg"):
        load_dataset(tmp_path)


def test_pictures_that_are_all_the_same_are_refused(tmp_path):
    for i in range(3):
        save(tmp_path / f"{i}.png", GREY)
    with pytest.raises(InputError, match="are the same"):
        load_dataset(tmp_path)


def test_options_stand_with_what_they_are_of(tmp_path):
    save(tmp_path / "a.png", GREY)
    with pytest.raises(InputError, match="--label-column is of files"):
        load_dataset(tmp_path, label_column="x")
    with pytest.raises(InputError, match="--image-shape is of files"):
        load_dataset(tmp_path, image_shape=(6, 8))
    np.savez(tmp_path / "x.npz", x=np.eye(5))
    with pytest.raises(InputError, match="--image-size, --grey is of folders of pictures"):
        load_dataset(tmp_path / "x.npz", image_size=(4, 4), grey=True)
    for size in ((0, 4), (4,), (4, 9999), "4x4"):
        with pytest.raises(InputError, match="--image-size"):
            load_dataset(tmp_path, image_size=size)


def test_headers_that_lie_are_refused_in_little_memory(tmp_path):
    for i, size in enumerate([(2**31 - 1, 2**31 - 1), (60_000, 60_000), (9_000, 9_000)]):
        (tmp_path / f"{i}.png").write_bytes(png_that_says(*size))
    (tmp_path / "3.png").write_bytes(png_that_says(7000, 7000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=r"4 of 4 picture\(s\) cannot be read"):
            load_dataset(tmp_path, image_size=(8, 8))


def test_a_stream_gives_the_pixels_of_the_data_set(tmp_path):
    fruits(tmp_path, 30, broken=(3,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = every(load_dataset(tmp_path, image_size=(6, 8), skip_unreadable=True))
    stream = open_table(tmp_path, image_shape=(6, 8, 3), chunk_rows=7, skip_unreadable=True)
    assert stream.n_rows == 30
    with pytest.warns(UserWarning, match=r"1 of 30 picture\(s\) cannot be read"):
        parts = list(stream)
    assert max(len(ids) for ids, _ in parts) == 7
    ids, rows = (np.concatenate(column) for column in zip(*parts, strict=True))
    assert set(ids) == set(found)
    for name, row in zip(ids, rows, strict=True):
        np.testing.assert_array_equal(row, found[name][0])
    with pytest.raises(InputError, match=r"1 of 30 .*Bild 3\.bmp.*--skip-unreadable"):
        list(open_table(tmp_path, image_shape=(6, 8, 3)))
    grey = open_table(tmp_path, image_shape=(6, 8), chunk_rows=7, skip_unreadable=True)
    _, rows = next(iter(grey))
    assert rows.shape == (7, 48)
    with pytest.raises(InputError, match="not on pictures"):
        open_table(tmp_path)
