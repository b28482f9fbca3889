"""The tutorial's pictures: how many, of which images, and whether they move."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stdout
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.backend_bases import MouseButton, MouseEvent
from matplotlib.figure import Figure
from PIL import Image

from ae_cluster import AutoEncoder, load_dataset
from ae_cluster.figures import animation as moving
from ae_cluster.figures import plot_code_tiles
from ae_cluster.runs import tutorial

EIGHT_BY_EIGHT = (8, 8)


@pytest.fixture(scope="module")
def main(load_experiment):
    return load_experiment("tutorial").main


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


def spied(patch, home, name):
    """Have ``home.name`` keep what it returns; return the list it is kept in."""
    made, original = [], getattr(home, name)

    def spy(*args, **kwargs):
        made.append(original(*args, **kwargs))
        return made[-1]

    patch.setattr(home, name, spy)
    return made


def spied_arguments(patch, home, name):
    """Have ``home.name`` keep what it is first given; return the list it is kept in."""
    given, original = [], getattr(home, name)
    patch.setattr(home, name, lambda first: (given.append(first), original(first)))
    return given


@pytest.fixture(scope="module")
def smoke(main, tmp_path_factory):
    """Run the tutorial once, off-screen; give what it wrote and what it drew with."""
    folder = tmp_path_factory.mktemp("smoke") / "pictures"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "figure", lambda *_, **__: pytest.fail("a window was opened"))
        watches = spied(patch, tutorial, "Watch")
        tiles = spied(patch, tutorial, "plot_code_tiles")
        ones = spied(patch, tutorial, "plot_one_image")
        with redirect_stdout(io.StringIO()) as said:
            assert main(["--smoke", "--no-show", "--out", str(folder)]) == 0
    return SimpleNamespace(
        folder=folder, watch=watches[0], tiles=tiles[0], one=ones[0], said=said.getvalue()
    )


def frames_of(path):
    """Return the frames of a film as (n, h, w, 3)."""
    with Image.open(path) as film:
        frames = []
        for i in range(film.n_frames):
            film.seek(i)
            frames.append(np.asarray(film.convert("RGB"), dtype=float))
    return np.stack(frames)


def test_a_photo_after_step_1_and_after_every_100(smoke):
    # 1,347 images in batches of 64 are 22 steps an epoch, and ten epochs 220 steps.
    assert smoke.watch.steps == [1, 100, 200]
    assert frames_of(smoke.folder / "2-training.gif").shape == (3, 300, 640, 3)


def test_the_film_rests_on_its_last_photo(smoke):
    with Image.open(smoke.folder / "2-training.gif") as film:
        durations = []
        for i in range(film.n_frames):
            film.seek(i)
            durations.append(film.info["duration"])
    assert durations == [120, 120, 3120]


def test_every_frame_has_the_first_five_test_images_above(smoke, digits):
    rows, columns = np.mgrid[:8, :8]
    ax = smoke.watch.figure.axes[0]
    frames = frames_of(smoke.folder / "2-training.gif")
    for i in range(5):
        # One column of white stands between two images of 8 × 8.
        places = np.column_stack([(columns + 9 * i).ravel(), rows.ravel()])
        x, y = np.round(ax.transData.transform(places)).astype(int).T
        shown = frames[:, frames.shape[1] - 1 - y, x].mean(axis=-1) / 255
        expected = digits.raw_test[i]
        assert np.abs(shown - expected).max() < 0.05


def test_the_images_below_come_nearer(smoke, digits):
    errors = np.square(np.stack(smoke.watch.outputs) - digits.raw_test[:5]).mean(axis=(1, 2))
    assert errors[0] > errors[1] > errors[2]
    frames = frames_of(smoke.folder / "2-training.gif")
    assert all(np.abs(a - b)[150:].max() > 50 for a, b in pairwise(frames))


def test_one_training_image_under_its_label(smoke, digits):
    assert smoke.one.get_suptitle() == str(digits.y_train[0])
    shown = smoke.one.axes[0].images[0].get_array()
    assert np.allclose(shown, digits.raw_train[0].reshape(EIGHT_BY_EIGHT))


def test_tiles_are_the_first_200_test_images_with_their_labels(smoke, digits):
    codes = AutoEncoder(random_state=0).fit(digits.raw_train).transform(digits.raw_test[:200])
    tiles = smoke.tiles.axes[0].texts
    assert len(tiles) == 200
    found = sorted((tile.get_position_3d(), tile.get_text()) for tile in tiles)
    expected = sorted(zip(codes.tolist(), digits.y_test[:200].tolist(), strict=True))
    assert np.allclose([place for place, _ in found], [place for place, _ in expected])
    assert [text for _, text in found] == [str(label) for _, label in expected]


def test_the_tiles_turn_and_come_back(smoke):
    frames = frames_of(smoke.folder / "3-codes-turning.gif")
    assert len(frames) == 6
    for i in range(6):
        for j in range(i):
            assert np.abs(frames[i] - frames[j]).max() > 100
    assert smoke.tiles.axes[0].azim == pytest.approx(-60 + 360)


def projected(ax):
    """Return where the tiles are on the paper, (n, 2)."""
    places = np.array([tile.get_position_3d() for tile in ax.texts])
    seen = np.column_stack([places, np.ones(len(places))]) @ ax.get_proj().T
    return seen[:, :2] / seen[:, 3:]


@pytest.fixture
def two_tiles():
    figure = plot_code_tiles(np.array([[1.0, 0, 0], [-1, 0, 0]]), [0, 1])
    figure.axes[0].view_init(0, 0)
    return figure


def test_near_tiles_hide_far_ones(two_tiles):
    ax = two_tiles.axes[0]
    tiles = {tile.get_text(): tile for tile in ax.texts}
    # Azimuth 0 looks from where the first coordinate is large.
    moving.bring_near_to_front(two_tiles)
    assert tiles["0"].get_zorder() > tiles["1"].get_zorder()
    ax.view_init(0, 180)
    moving.bring_near_to_front(two_tiles)
    assert tiles["0"].get_zorder() < tiles["1"].get_zorder()


@pytest.fixture
def windows(monkeypatch):
    """Let windows be opened without a screen; give what each ``plt.show`` was told to block."""
    plt.switch_backend("agg")
    shown = []
    monkeypatch.setattr(plt, "show", lambda block=True: shown.append(block))
    yield shown
    plt.close("all")


def test_the_mouse_turns_the_tiles(two_tiles, windows, tmp_path):
    moving.open_window(two_tiles)
    assert plt.gcf() is two_tiles
    assert windows == [False]
    moving.turn(two_tiles, tmp_path / "turning.gif", degrees=180)
    ax = two_tiles.axes[0]
    before, order = projected(ax), [tile.get_zorder() for tile in ax.texts]
    middle = ax.bbox.x0 + ax.bbox.width / 2
    # From the middle to the edge is half a turn.
    for name, x in (("button_press", middle), ("motion_notify", middle - ax.bbox.width / 2)):
        event = MouseEvent(f"{name}_event", two_tiles.canvas, x, ax.bbox.y0 + 200, MouseButton.LEFT)
        two_tiles.canvas.callbacks.process(event.name, event)
    assert np.abs(projected(ax) - before).max() > 0.01
    assert [tile.get_zorder() for tile in ax.texts] != order


def test_a_closed_window_is_left_alone(windows, monkeypatch):  # noqa: ARG001
    figure, drawn = Figure(), []
    monkeypatch.setattr(Figure, "draw", lambda self, _: drawn.append(self))
    moving.refresh_window(figure)
    assert drawn == []
    moving.open_window(figure)
    assert drawn == [figure]
    plt.close(figure)
    moving.refresh_window(figure)
    assert drawn == [figure]


@pytest.fixture
def colour_images(tmp_path):
    """Give a file of 100 colour images without labels."""
    path = tmp_path / "mine.npz"
    noise = np.random.default_rng(0).integers(0, 256, (100, 6, 5, 3), dtype=np.uint8)
    np.savez(path, x=noise)
    return path


def test_windows_where_there_is_a_screen(main, colour_images, windows, monkeypatch):
    turn = moving.turn
    monkeypatch.setattr(moving, "turn", lambda figure, path, **_: turn(figure, path, degrees=180))
    monkeypatch.setattr(moving, "has_screen", lambda: True)
    watches = spied(monkeypatch, tutorial, "Watch")
    ones = spied(monkeypatch, tutorial, "plot_one_image")
    tiles = spied(monkeypatch, tutorial, "plot_code_tiles")
    opened = spied_arguments(monkeypatch, moving, "open_window")
    refreshed = spied_arguments(monkeypatch, moving, "refresh_window")
    out = colour_images.with_name("pictures")
    arguments = ["--dataset", str(colour_images), "--epochs", "60", "--out", str(out)]
    assert main(arguments) == 0
    assert opened == [ones[0], watches[0].figure, tiles[0]]
    assert windows == [False, False, False, True]
    # 80 images to train on are 2 steps an epoch: step 1 and 100, besides the opening.
    assert watches[0].steps == [1, 100]
    assert refreshed.count(watches[0].figure) == 3
    assert ones[0].get_suptitle() == "no label"
    assert len(tiles[0].axes[0].texts) == 20


# What the user gives


def assert_said_and_drawn(said, folder, name):
    assert "64-128-64-12-3-12-64-128-64" in said
    # Step 100 is in epoch 100 / 22 + 1, step 200 in epoch 200 / 22 + 1.
    steps = [line.split(": loss ")[0].strip() for line in said.splitlines() if ": loss " in line]
    assert steps == ["epoch 1, step 1", "epoch 5, step 100", "epoch 10, step 200"]
    assert f"The pictures and films lie in {name};" in said
    stills = [f"{name}.{kind}" for name in ("1-one-image", "2-training", "3-codes")
              for kind in ("png", "svg", "txt")]  # fmt: skip
    films = ["2-training.gif", "3-codes-turning.gif"]
    assert sorted(p.name for p in folder.iterdir()) == sorted(stills + films)


def test_a_smoke_run_says_what_it_does(smoke):
    assert_said_and_drawn(smoke.said, smoke.folder, smoke.folder)


@pytest.mark.slow
def test_smoke_run_from_the_command_line(run_experiment, tmp_path):
    done = run_experiment("tutorial", "--smoke")
    assert (done.returncode, done.stderr) == (0, "")
    assert_said_and_drawn(done.stdout, tmp_path / "tutorial", "tutorial")
    assert [p.name for p in tmp_path.iterdir()] == ["tutorial"]


@pytest.mark.heavy
def test_it_is_a_command_outside_a_checkout(tmp_path):
    code = (
        "import sys; sys.modules['experiments'] = None; from ae_cluster.cli.main import main; "
        "sys.exit(main(['tutorial', 'digits', '--smoke', '--no-show', '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    told = json.loads(done.stdout)
    assert "4. The codes of 200 test images" in done.stderr
    assert sorted(told["files"]) == sorted(
        str(path.relative_to(tmp_path)) for path in tmp_path.glob("tutorial/*")
    )


def failed(main, capsys, *arguments):
    """Run with what cannot be used; return the one sentence on standard error."""
    assert main([*map(str, arguments)]) == 2
    return capsys.readouterr().err.rstrip("\n")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.npz"
    np.savez(path, x=np.random.default_rng(0).normal(size=(20, 3)))
    return path


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--dataset", "mnits"], "mnist"),
        (["--dataset", "digits", "--epochs", "0"], "--epochs"),
        (["--dataset", "digits", "--seed", "-1"], "--seed"),
        (["--dataset", "mnist", "--data-home", "nowhere", "--no-download"], "nowhere"),
    ],
)
def test_input_that_cannot_be_used(main, capsys, assert_one_sentence, tmp_path, arguments, part):
    out = tmp_path / "pictures"
    assert_one_sentence(failed(main, capsys, *arguments, "--no-show", "--out", out), part)
    assert list(tmp_path.iterdir()) == []


def test_a_table_has_no_pictures(main, capsys, assert_one_sentence, table, tmp_path):
    out = tmp_path / "pictures"
    error = failed(main, capsys, "--dataset", table, "--no-show", "--out", out)
    assert_one_sentence(error, table, "images")
    assert list(tmp_path.iterdir()) == [table]


def test_what_is_there_is_replaced_by_force_only_and_only_what_is_ours(
    main, capsys, assert_one_sentence, tmp_path, monkeypatch
):
    def draw(_, __, folder):
        (folder / "1-one-image.txt").write_text("A training image of digits, under its label.")

    monkeypatch.setattr(tutorial, "tutorial", draw)
    out = tmp_path / "pictures"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    arguments = ["--smoke", "--no-show", "--out", str(out)]
    assert_one_sentence(failed(main, capsys, *arguments), out, "--force")
    assert_one_sentence(failed(main, capsys, *arguments, "--force"), out, "mine.txt")
    assert [path.name for path in out.iterdir()] == ["mine.txt"]

    (out / "mine.txt").rename(tmp_path / "mine.txt")
    out.rmdir()
    assert main(arguments) == 0
    (tmp_path / "mine.txt").rename(out / "mine.txt")
    (out / "2-training.gif").touch()
    assert main([*arguments, "--force"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["1-one-image.txt", "mine.txt"]


def test_nothing_half_written_stays(main, tmp_path, monkeypatch):
    def interrupted(_, __, folder):
        (folder / "new.png").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(tutorial, "tutorial", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main(["--smoke", "--no-show", "--out", str(tmp_path / "pictures")])
    assert list(tmp_path.iterdir()) == []


# The screen


@pytest.fixture
def no_screen(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.mark.usefixtures("no_screen")
def test_windows_without_a_screen(main, capsys, assert_one_sentence, tmp_path):
    assert not moving.has_screen()
    assert moving.may_show(None) is False
    error = failed(main, capsys, "--smoke", "--show", "--out", tmp_path / "pictures")
    assert_one_sentence(error, "screen", "--show")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_screen")
@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_screen_needs_a_backend_with_windows(monkeypatch, variable):
    monkeypatch.setenv(variable, ":0")
    monkeypatch.setattr(plt, "get_backend", lambda: "agg")
    assert not moving.has_screen()
    monkeypatch.setattr(plt, "get_backend", lambda: "tkagg")
    assert moving.has_screen()
    assert moving.may_show(None) is True
    assert moving.may_show(False) is False


def test_a_mac_has_a_screen_without_variables(monkeypatch, no_screen):  # noqa: ARG001
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(plt, "get_backend", lambda: "macosx")
    assert moving.has_screen()


@pytest.mark.slow
@pytest.mark.mnist
def test_mnist(main, mnist_home, tmp_path):
    out = tmp_path / "pictures"
    assert main(["--data-home", str(mnist_home), "--no-show", "--out", str(out)]) == 0
    film, turning = out / "2-training.gif", out / "3-codes-turning.gif"
    # 938 steps an epoch, 9,380 in all: step 1, 100, 200 … 9,300.
    assert len(frames_of(film)) == 94
    assert len(frames_of(turning)) == 36
    assert max(film.stat().st_size, turning.stat().st_size) < 3_000_000
