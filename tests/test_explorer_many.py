"""Hundreds of thousands of dots without a graphics card: turned, pointed at, coloured."""

import numpy as np
import pytest
from explorer_page import fake_run, on_page, wait_until

from ae_cluster.datasets.dataset import assemble, numbered_ids
from ae_cluster.explorer import write_page

pytest_plugins = ("explorer_fixtures",)
pytestmark = [pytest.mark.slow, pytest.mark.alone]
FRAMES = """async (seconds) => {
  const start = performance.now();
  let frames = 0;
  for (; performance.now() - start < 1000 * seconds; frames++) {
    stage.lookFrom({ ...stage.view, azimuth: stage.view.azimuth + 0.05 });
    await new Promise(requestAnimationFrame);
  }
  return [frames / seconds, stage.scene.points.geometry.drawRange.count];
}"""


def many(n):
    """Return a data set of n tiny images, of which no file is left."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (n, 4), dtype=np.uint8), rng.integers(0, 10, n)
    ids, half = numbered_ids(n), n // 2
    return assemble(
        "gone.npz",
        (x[:half], x[half:]),
        (y[:half], y[half:]),
        (ids[:half], ids[half:]),
        image_shape=(2, 2),
        class_names=tuple(map(str, range(10))),
        n_clusters=10,
    )


@pytest.mark.filterwarnings("ignore::ae_cluster.training.diagnostics.DiagnosticsWarning")
@pytest.mark.parametrize(
    ("n", "frames", "megabytes"), [(200_000, 10, 60), (1_000_000, 3, 60)], ids=["200k", "1M"]
)
def test_many_dots_turn_and_the_pointer_finds_its_own(open_page, tmp_path, n, frames, megabytes):
    folder = fake_run(tmp_path, many(n))
    html = write_page(folder, split="all", n_points=n)
    assert html.stat().st_size < megabytes * 1e6
    page = open_page(html)
    assert page.evaluate("explorer.cloud.n") == n
    reached, n_drawn = page.evaluate(FRAMES, 5)
    assert reached >= frames
    assert n_drawn < n
    wait_until(page, "!stage.isThinned && stage.scene.points.geometry.index === null", 60)

    seen = np.array(page.evaluate("Array.from(stage.dots)")).reshape(-1, 3)
    width, height = page.evaluate("[stage.size.width, stage.size.height]")
    on_stage = (seen[:, :2] > [20, 80]).all(axis=1) & (seen[:, :2] < [width - 60, height - 80]).all(
        axis=1
    )
    for row in np.flatnonzero(on_stage)[:: max(1, on_stage.sum() // 5)][:5]:
        x, y = seen[row, :2].round()
        near = np.flatnonzero(np.hypot(seen[:, 0] - x, seen[:, 1] - y) <= 5)
        page.mouse.move(*on_page(page, x, y))
        foremost = near[seen[near, 2].argmin()]
        wait_until(page, f"explorer.hovered === {foremost}")
