"""The report of a run: one file that shows all there is, and in which nothing acts."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_runs import small_images

from ae_cluster.cli.main import main
from ae_cluster.records.config import RunConfig
from ae_cluster.reports.html import write_report
from ae_cluster.runs.run import run

pytest_plugins = ("explorer_fixtures",)
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def evil_run(tmp_path_factory):
    """Give the folder of a run, with figures, on classes whose names are markup."""
    folder = tmp_path_factory.mktemp("report")
    images, y = small_images()
    names = np.array([EVIL, "</style><script>alert(2)</script>", "a & b"])
    np.savez(folder / "mine.npz", x=images, y=names[y])
    config = RunConfig(
        str(folder / "mine.npz"), epochs=2, n_clusters=3, n_components=2,
        hidden_layer_sizes=(8,), draws=1, budgets=(1, 2), methods=("kmeans",),
    )  # fmt: skip
    run(config, folder / "RUN")
    return folder / "RUN"


@pytest.fixture(scope="module")
def report(evil_run):
    return write_report(evil_run, evil_run.parent / "r.html").path


@pytest.fixture
def text(report):
    return report.read_text(encoding="utf-8")


def test_it_holds_every_figure_with_its_caption(evil_run, text):
    captions = list((evil_run / "figures").glob("*.txt"))
    assert len(captions) >= 6
    assert text.count("<figure>") == text.count('src="data:image/') == len(captions)
    shown = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    for caption in captions:
        words = caption.read_text(encoding="utf-8").replace("&", "&amp;")
        assert " ".join(words.replace("<", "&lt;").replace(">", "&gt;").split())[:80] in shown


def test_the_scores_are_those_of_the_rows(evil_run, text):
    rows = pd.read_csv(evil_run / "scores.csv").query("split == 'test'")
    for accuracy in rows[rows["budget"].isna()]["accuracy"]:
        assert f"<td class=number>{accuracy:.3f}</td>" in text
    few = rows[rows["budget"] == 2].groupby(["features", "method"])["accuracy"].mean()
    assert all(f"{mean:.3f}" in text for mean in few)


def test_sections_settings_and_versions_are_there(text):
    titles = re.findall(r"<h2[^>]*>(.+?)</h2>", text)
    assert titles == ["Data", "Scores", "Health", "Clusters", "Figures", "Settings"]
    for words in ("fingerprint", "normalised mutual information", "hidden_layer_sizes", "torch",
                  "Test samples in each cluster", "an image of 6×6"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([-1, 0, 1, -1, -1, 2], "6, of which 3 have a label: the scores are of these"),
        ([-1] * 6, "6, none with a label"),
    ],
)
def test_it_says_of_how_many_samples_the_scores_are(evil_run, tmp_path, labels, words):
    folder = shutil.copytree(evil_run, tmp_path / "RUN")
    path = folder / "methods" / "kmeans" / "codes.npz"
    with np.load(path) as arrays:
        kept = dict(arrays)
    np.savez(path, **kept | {"labels_test": np.array(labels)})
    assert f"<dd>{words}</dd>" in write_report(folder).path.read_text(encoding="utf-8")


def test_nothing_in_it_acts_or_is_fetched(text):
    assert EVIL not in text
    assert "<script" not in text
    assert "onerror=alert(1)&gt;" in text
    assert re.findall(r'(?:src|href)="(?!data:image/|#)([^"]*)"', text) == ["RUN/explorer.html"]
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_what_collapsed_is_said(evil_run, tmp_path):
    folder = shutil.copytree(evil_run, tmp_path / "RUN")
    config = json.loads((folder / "config.json").read_text())
    config["methods"]["kmeans"]["collapsed"] = "All codes are one point."
    (folder / "config.json").write_text(json.dumps(config))
    shutil.rmtree(folder / "figures")
    (folder / "explorer.html").unlink()
    path, n_figures = write_report(folder)
    told = path.read_text(encoding="utf-8")
    assert path == folder / "report.html"
    assert n_figures == 0
    assert re.search('<p class="bad">[^<]*all codes are one point', told)
    assert "--no-figures" in told
    assert "explorer.html" not in told


def test_an_earlier_report_is_replaced_and_nothing_else(evil_run, tmp_path, capsys):
    path = tmp_path / "r.html"
    assert main(["report", str(evil_run), "--out", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["report"] == str(path)
    assert told["bytes"] == path.stat().st_size
    first = path.read_bytes()
    assert main(["report", str(evil_run), "--out", str(path)]) == 0
    assert path.read_bytes() == first  # the same run gives the same bytes
    path.write_text("mine")
    assert main(["report", str(evil_run), "--out", str(path)]) == 2
    assert "is not replaced" in capsys.readouterr().err
    assert path.read_text() == "mine"


def test_what_is_no_run_has_no_report(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "config.json" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_it_reads_well_in_a_browser_and_prints(open_page, report, tmp_path):
    for width, scheme in ((1280, "light"), (390, "dark")):
        page = open_page(report, width=width, scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
        assert len(widths) >= 6
        assert min(widths) > 0
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (dark == "rgb(16, 18, 22)") == (scheme == "dark")
    page.pdf(path=tmp_path / "r.pdf", format="A4")
    assert (tmp_path / "r.pdf").stat().st_size > 10_000
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_axe_finds_nothing_serious(open_page, report):
    playwright = pytest.importorskip("axe_playwright_python.sync_playwright")
    for scheme in ("light", "dark"):
        page = open_page(report, scheme=scheme, bypass_csp=True)
        found = playwright.Axe().run(page).response["violations"]
        serious = [v["id"] for v in found if v["impact"] in ("serious", "critical")]
        assert serious == []


def test_making_it_loads_no_torch(evil_run, tmp_path):

    code = (
        "import sys; from ae_cluster.cli.main import main; "
        f"main(['report', {str(evil_run)!r}, '--out', {str(tmp_path / 'r.html')!r}]); "
        "sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert Path(tmp_path / "r.html").is_file()
