"""The examples in docstrings give what they show."""

import doctest
import importlib
from pathlib import Path

import pytest
from small_runs import small_images

import ae_cluster

FOLDER = Path(ae_cluster.__file__).parent
MODULES = sorted(
    ".".join(("ae_cluster", *path.relative_to(FOLDER).with_suffix("").parts))
    for path in FOLDER.rglob("*.py")
    if "\n    >>> " in path.read_text(encoding="utf-8")
)
MAIN = (
    *("AutoEncoder", "SortingAutoEncoder", "load_dataset", "load_run", "read_codes"),
    "suggest_labels",
)


@pytest.mark.filterwarnings("ignore::ae_cluster.training.diagnostics.HealthWarning")
@pytest.mark.parametrize(
    "name",
    [
        # A fit of its graph's clusterings takes many seconds, which the README's test has too.
        pytest.param(name, marks=pytest.mark.slow if "sorting" in name else ())
        for name in MODULES
    ],
)
def test_examples_give_what_they_show(name, request):
    module = importlib.import_module(name)
    names = vars(module).copy()
    if name in ("ae_cluster.records.reading", "ae_cluster.runs.loaded"):  # they read a run
        run = request.getfixturevalue("small_run")
        names["run_folder"] = run(request.getfixturevalue("tmp_path") / "RUN")
        names["images"] = small_images()[0]
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(module, extraglobs=names):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0


@pytest.mark.parametrize("name", MAIN)
def test_the_main_public_names_have_an_example(name):
    assert ">>> " in getattr(ae_cluster, name).__doc__
