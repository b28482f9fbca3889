"""From a folder of pictures to clusters and a page, by one command."""

import numpy as np
import pandas as pd
import pytest
from explorer_page import content_of
from picture_folders import COLOURS, fruits

from ae_cluster import load_dataset
from ae_cluster.cli.main import main
from ae_cluster.records.reading import read_run_config

QUICK = ["--n-clusters", "2", "--epochs", "3", "--draws", "1", "--budgets", "1", "--no-figures"]
BROKEN = (0, 1, 117, 333)

pytestmark = pytest.mark.filterwarnings("always:.*4 of 600 picture")  # the command prints them


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with 600 pictures in several sizes, four of them broken, and a run of them."""
    place = tmp_path_factory.mktemp("pictures")
    fruits(place / "Meine Bilder", 600, broken=BROKEN)
    run = ["run", str(place / "Meine Bilder"), "--image-size", "8x8", "--skip-unreadable"]
    assert main([*run, *QUICK, "--out", str(place / "RUN")]) == 0
    return place


def test_clusters_of_pictures_stand_beside_their_names(folder):
    table = pd.read_csv(folder / "RUN" / "clusters.csv")
    assert len(table) == 600 - len(BROKEN)
    names = table["id"]
    assert names.is_unique
    assert all((folder / "Meine Bilder" / name).is_file() for name in names)
    assert {name.split("/")[0] for name in names} == {*COLOURS, "unlabelled"}
    labelled = table[~names.str.startswith("unlabelled")]
    is_apple = labelled["id"].str.startswith("Äpfel")
    share = (is_apple == (labelled["kmeans"] == 1)).mean()
    assert max(share, 1 - share) > 0.95  # red ones and green ones


def test_the_page_of_pictures_shows_them_in_colours(folder):
    content = content_of(folder / "RUN" / "explorer.html")
    assert content["pictures"]["native"] == [8, 8, 3]
    assert sum(map(len, content["pictures"]["sheets"])) >= 1
    assert content["classes"] == sorted(COLOURS)
    ids = {name for cloud in content["clouds"] for name in cloud["ids"]}
    assert ids == set(pd.read_csv(folder / "RUN" / "clusters.csv")["id"])


def test_the_run_keeps_how_pictures_were_read(folder, capsys):
    config = read_run_config(folder / "RUN")
    assert config["arguments"]["image_size"] == [8, 8]
    assert config["arguments"]["skip_unreadable"] is True
    assert config["data"]["image_shape"] == [8, 8, 3]
    again = ["run", "--config", str(folder / "RUN" / "config.json"), "--no-figures", "--out"]
    assert main([*again, str(folder / "AGAIN")]) == 0
    assert "4 of 600 picture(s) cannot be read" in capsys.readouterr().err
    first, second = (pd.read_csv(folder / name / "clusters.csv") for name in ("RUN", "AGAIN"))
    pd.testing.assert_frame_equal(first, second)


def test_new_pictures_get_the_clusters_of_those_that_look_like_them(folder, capsys):
    assign = ["assign", str(folder / "RUN"), str(folder / "Meine Bilder"), "--out"]
    assert main([*assign, str(folder / "none.csv")]) == 2
    assert "--skip-unreadable" in capsys.readouterr().err
    assert main([*assign, str(folder / "new.csv"), "--skip-unreadable"]) == 0
    assert "4 of 600 picture(s) cannot be read" in capsys.readouterr().err
    found = pd.read_csv(folder / "new.csv").set_index("id")
    before = pd.read_csv(folder / "RUN" / "clusters.csv").set_index("id")
    assert (found["cluster"] == before["kmeans"].reindex(found.index)).all()
    assert len(found) == len(before)


def test_pictures_of_several_sizes_end_in_a_sentence(folder, capsys):
    assert main(["run", str(folder / "Meine Bilder"), *QUICK, "--out", str(folder / "NONE")]) == 2
    said = capsys.readouterr().err
    assert "the pictures have several sizes" in said
    assert "--image-size" in said
    assert not (folder / "NONE").exists()


def test_the_split_of_pictures_is_by_chance_and_kept(folder):
    reads = {"image_size": (8, 8), "skip_unreadable": True}
    data = load_dataset(folder / "Meine Bilder", **reads)
    table = pd.read_csv(folder / "RUN" / "clusters.csv")
    assert set(table.loc[table["split"] == "test", "id"]) == set(data.ids_test.tolist())
    assert len(data.ids_test) == int(np.ceil(0.2 * 596))
