"""Methods and families were renamed once; what was written before is read for ever."""

import json

import pandas as pd
import pytest

from ae_cluster.cli.main import build_parser
from ae_cluster.methods import (
    CLASSIFIERS,
    FINETUNED,
    FROZEN,
    METHODS,
    OLD_NAMES,
    current_name,
)
from ae_cluster.records.config import RunConfig, read_config
from ae_cluster.records.reading import read_scores
from ae_cluster.records.rows import COLUMNS, tidy_row
from experiments import label_budget
from experiments.support.published import place_of, published_places, published_rows
from experiments.support.store import Store, cell_key

CELL = {
    "dataset": "digits", "features": "sorting", "seed": 0, "n_components": 3, "n_train": 1347,
    "epochs": 12, "stage": "digits-sorting-0-3-1347-12-10", "n_clusters": 10, "balanced": True,
    "draws": 5, "first_draw": 0,
}  # fmt: skip
OLD = {"family": "reshaping the encoder", "methods": ["taught-sorting"], "budgets": [1]}
NEW = {"family": FINETUNED, "methods": ["fine-tuned-sorting"], "budgets": [1]}


def old_rows():
    place = {"dataset": "digits", "split": "test", "features": "sorting", "seed": 0, "budget": 1}
    place |= {"n_components": 3, "epochs": 12, "n_train": 10, "draw": 0, "accuracy": 0.9}
    return pd.DataFrame(
        [
            tidy_row(**place, method="taught-sorting", family="reshaping the encoder", status="ok"),
            tidy_row(**place, method="named-clusters", family="frozen codes", status="ok"),
        ],
        columns=list(COLUMNS),
    )


def test_every_old_name_stands_for_one_of_today():
    known = {method.name for method in (*METHODS, *CLASSIFIERS)} | {FROZEN, FINETUNED}
    assert set(OLD_NAMES.values()) <= known | label_budget.FAMILIES.keys()
    assert not OLD_NAMES.keys() & known
    assert len(set(OLD_NAMES.values())) == len(OLD_NAMES)
    assert all(current_name(name) == name for name in known)


def test_finished_cells_stay_valid(tmp_path):
    key = "eb54a15ff9fec436a7a46cd7"  # as it was when the names were the old ones
    assert cell_key(CELL | NEW, "data") == cell_key(CELL | OLD, "data") == key
    with_frozen = {"family": FROZEN, "methods": ["knn", "cluster-then-label"]}
    before = {"family": "frozen codes", "methods": ["knn", "named-clusters"]}
    assert cell_key(with_frozen) == cell_key(before)
    assert cell_key({"method": "knn"}) != cell_key({"method": "svm"})
    store = Store(tmp_path)
    store.put(key, CELL | OLD, old_rows().drop(columns=["clusterer_seed"]).to_dict("records"))
    rows = store.rows([key])
    assert rows["method"].tolist() == ["fine-tuned-sorting", "cluster-then-label"]
    assert rows["family"].tolist() == [FINETUNED, FROZEN]


def test_rows_are_read_with_the_names_of_today(tmp_path):
    path = tmp_path / "label_budget-digits.csv"
    old_rows().to_csv(path, index=False)
    rows = published_rows(tmp_path, "label_budget")
    assert rows["method"].tolist() == ["fine-tuned-sorting", "cluster-then-label"]
    assert place_of(CELL | NEW) in published_places(path)
    old_rows().to_csv(tmp_path / "scores.csv", index=False)
    scores = read_scores(tmp_path)
    assert scores["method"].tolist() == ["fine-tuned-sorting", "cluster-then-label"]
    assert scores["family"].tolist() == [FINETUNED, FROZEN]


def test_a_config_is_read_with_the_names_of_today(tmp_path):
    said = RunConfig().to_json() | {"methods": ["kmeans", "taught-sorting"]}
    assert RunConfig.from_json(said).methods == ("kmeans", "fine-tuned-sorting")
    content = {"format_version": 1, "arguments": said, "data": {"name": "a", "fingerprint": ""}}
    (tmp_path / "config.json").write_text(json.dumps(content))
    found = read_config(tmp_path / "config.json")["arguments"]
    assert found["methods"] == ["kmeans", "fine-tuned-sorting"]


@pytest.mark.parametrize(("old", "new"), OLD_NAMES.items())
def test_old_names_are_taken_on_the_command_line(old, new):
    asked = build_parser().parse_args(["classify", "x", "--method", old])
    assert asked.method == new
    run = build_parser().parse_args(["run", "--method", old])
    assert run.methods == [new]
