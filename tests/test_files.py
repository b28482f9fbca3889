"""A file or folder is there whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import folder_written_beside, make_folder, sha256, written_beside
from ae_cluster.common.own_files import present


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def ours(folder):
    """Return which files of a folder these tests wrote."""
    return sorted(present(folder, ["old", "new"]))


def cut_off(_, error):
    """End, when something half-written is there."""
    raise error


@pytest.fixture
def folder(tmp_path):
    """A folder with one file in it, and nothing beside it."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").write_text("old")
    return folder


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    with written_beside(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"

    assert path.read_text() == "new"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_file_that_was_not_finished_leaves_the_old_one(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("old")

    with pytest.raises(error), written_beside(path) as beside:
        cut_off(beside.write_text("half"), error)

    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("place", ["no/such/folder/file", "file/file"])
def test_a_file_that_cannot_be_written_is_named(tmp_path, assert_one_sentence, place):
    (tmp_path / "file").touch()

    with pytest.raises(InputError) as error, written_beside(tmp_path / place) as beside:
        beside.write_text("new")

    assert_one_sentence(error, tmp_path / place, "cannot be written")


def test_a_folder_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "a" / "model"

    with folder_written_beside(path, False, ours) as beside:
        (beside / "new").touch()
        assert not path.exists()

    assert names(path) == ["new"]
    assert names(path.parent) == ["model"]


def test_a_folder_that_exists_is_refused_before_anything_is_done(folder, assert_one_sentence):
    with pytest.raises(InputError) as error, folder_written_beside(folder, False, ours):
        pytest.fail("there was work for nothing")

    assert_one_sentence(error, folder, "exists already", "--force")
    assert names(folder) == ["old"]


def test_with_force_a_folder_is_replaced_as_a_whole(folder):
    with folder_written_beside(folder, True, ours) as beside:
        (beside / "new").touch()
        assert names(folder) == ["old"]

    assert names(folder) == ["new"]
    assert names(folder.parent) == ["model"]


def test_force_does_not_replace_a_file_by_a_folder(tmp_path, assert_one_sentence):
    (tmp_path / "file").write_text("precious")

    with (
        pytest.raises(InputError) as error,
        folder_written_beside(tmp_path / "file", True, ours),
    ):
        pytest.fail("there was work for nothing")

    assert_one_sentence(error, tmp_path / "file", "not a folder")
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, OSError(28, "No space left")])
def test_a_folder_that_was_not_finished_leaves_the_old_one(folder, error):
    expected = InputError if isinstance(error, OSError) else error

    with pytest.raises(expected), folder_written_beside(folder, True, ours) as beside:
        cut_off((beside / "half").touch(), error)

    assert names(folder) == ["old"]
    assert names(folder.parent) == ["model"]


def test_a_folder_that_cannot_be_moved_leaves_the_old_one(folder, monkeypatch):
    def no_way(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "replace", no_way)
    with (
        pytest.raises(InputError, match="Invalid cross-device link"),
        folder_written_beside(folder, True, ours) as beside,
    ):
        (beside / "new").touch()

    assert names(folder) == ["old"]
    assert names(folder.parent) == ["model"]


def test_what_is_not_ours_stays_in_a_folder_that_is_replaced(folder):
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("mine")
    with folder_written_beside(folder, True, ours) as beside:
        (beside / "new").touch()
        (folder / "late").write_text("mine too")

    assert names(folder) == [".git", "late", "new"]
    assert (folder / ".git" / "HEAD").read_text() == "mine"


@pytest.mark.parametrize("came", ["before", "meanwhile"])
def test_a_folder_of_which_nothing_is_ours_is_refused(folder, assert_one_sentence, came):
    (folder / "old").unlink()
    mine = [folder / f"{n}.txt" for n in range(5)]
    for path in mine if came == "before" else []:
        path.write_text("mine")

    def fill(beside):
        (beside / "new").touch()
        for path in mine:
            path.write_text("mine")

    with pytest.raises(InputError) as error, folder_written_beside(folder, True, ours) as beside:
        fill(beside)

    assert_one_sentence(error, folder, "0.txt, 1.txt, 2.txt and 2 more")
    assert {path.read_text() for path in mine} == {"mine"}
    assert names(folder) == [path.name for path in mine]
    assert names(folder.parent) == ["model"]


@pytest.mark.parametrize("kind", ["folder", "link", "link to a folder"])
def test_what_stands_in_the_way_is_refused(folder, assert_one_sentence, kind):
    elsewhere = folder.with_name("elsewhere")
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")
    if kind == "folder":
        (folder / "new").mkdir()
        (folder / "new" / "mine").write_text("mine")
    else:
        (folder / "new").symlink_to(elsewhere / "mine" if kind == "link" else elsewhere)
    with pytest.raises(InputError) as error, folder_written_beside(folder, True, ours) as beside:
        (beside / "new").write_text("new")

    assert_one_sentence(error, folder, "new", "move that away")
    assert (folder / "old").read_text() == "old"
    assert (elsewhere / "mine").read_text() == "mine"
    assert names(folder) == ["new", "old"]


def test_a_link_goes_on_leading_where_it_led(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    with written_beside(tmp_path / "link") as beside:
        beside.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_what_is_no_ordinary_file_is_not_replaced(tmp_path, assert_one_sentence):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError) as error, written_beside(tmp_path / "pipe"):
        pytest.fail("there was work for nothing")
    assert_one_sentence(error, tmp_path / "pipe", "no ordinary file")
    assert (tmp_path / "pipe").is_fifo()


def test_a_folder_that_cannot_be_made_is_named(tmp_path, assert_one_sentence):
    (tmp_path / "file").touch()
    make_folder(tmp_path)  # exists already: fine

    for place in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(InputError) as error:
            make_folder(place)
        assert_one_sentence(error, place, "cannot be made")


def test_the_sum_is_sha256(tmp_path):
    (tmp_path / "file").write_bytes(b"abc" * 100_000)

    assert sha256(tmp_path / "file") == hashlib.sha256(b"abc" * 100_000).hexdigest()
