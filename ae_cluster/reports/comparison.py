"""Run folders side by side: their scores, what differs between them, what must not be compared."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ae_cluster.common.errors import InputError
from ae_cluster.common.files import written_beside
from ae_cluster.common.numbers import NOTHING, number
from ae_cluster.common.spreadsheets import safe_table
from ae_cluster.common.texts import shortened
from ae_cluster.records.reading import read_run_config, read_scores
from ae_cluster.records.rows import OK, pipeline_name
from ae_cluster.reports.run import SHOWN

# Shown under another name, or said by what the preset made of it.
_SAID_ELSEWHERE = {"max_iter", "random_state", "clusterers", "input_kind", "dataset"}
_LONGEST_VALUE = 30

HOW_TO_READ = """\
How to read it: held-out test scores; accuracy, purity and NMI rise with k even for random
clusters, AMI and ARI do not. Runs of other seeds are draws of one lottery: a difference between
two single runs may be luck: ae-cluster run --seeds 5 makes enough of them to tell."""


class Run(NamedTuple):
    """A run folder, read.

    Attributes
    ----------
    letter : str
        A, B, …, AA, … : its name in tables.
    folder : Path
    config : dict
        Content of config.json.
    rows : DataFrame
        Of scores.csv.
    """

    letter: str
    folder: Path
    config: dict[str, Any]
    rows: pd.DataFrame


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Return the runs in these folders, of a folder of runs all that it holds.

    Raises
    ------
    InputError
        For fewer than two, one named twice, or a folder that holds no finished run.
    """
    found = [run for folder in folders for run in _runs_in(folder)]
    if len(found) < 2:
        raise InputError(
            f"{len(found)} run cannot be compared with anything; name two or more folders."
        )
    places = [folder.resolve() for folder in found]
    for i, place in enumerate(places):
        if place in places[:i]:
            raise InputError(f"{found[i]} is named twice{_also_in(folders)}; name each run once.")
    return [_read_run(_letters(i), folder) for i, folder in enumerate(found)]


def _letters(i: int) -> str:
    """Return the name of a run in tables: A to Z, then AA, AB and so on."""
    more, last = divmod(i, len(string.ascii_uppercase))
    return (_letters(more - 1) if more else "") + string.ascii_uppercase[last]


def _runs_in(folder: Path) -> list[Path]:
    """Return a folder, or the runs in it where it is not one itself."""
    if (folder / "config.json").is_file() or not folder.is_dir():
        return [folder]
    found = sorted(path.parent for path in folder.glob("*/config.json"))
    return [path for path in found if path.suffix != ".partial"] or [folder]


def _also_in(folders: Sequence[Path]) -> str:
    """Return which of the folders holds runs, and which."""
    for folder in folders:
        inside = _runs_in(folder)
        if inside != [folder]:
            listed = ", ".join(path.name for path in inside[:5])
            return f", since {folder} was named and it holds runs: {listed}"
    return ""


def _read_run(letter: str, folder: Path) -> Run:
    if not folder.is_dir():
        inside = folder.is_file() and folder.name in ("config.json", "scores.csv")
        what = "a file in a run folder" if inside else "no folder"
        way_out = f"give {folder.parent}" if inside else "give one that ae-cluster run wrote"
        raise InputError(f"{folder} is {what}; {way_out}.")
    if folder.name.endswith(".partial"):
        raise InputError(
            f"{folder} is a run that was interrupted; end it first: the command that made it, "
            "with --resume."
        )
    if not (folder / "config.json").is_file():
        raise InputError(
            f"{folder} is not the folder of a run: it has no config.json; give one that has."
        )
    return Run(letter, folder, read_run_config(folder), read_scores(folder))


def compared_rows(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the rows of all runs below one another, ``run`` (the folder) the first column."""
    tables = [run.rows.assign(run=str(run.folder)) for run in runs]
    rows = pd.concat(tables, ignore_index=True)
    return rows[["run", *(name for name in rows if name != "run")]]


def write_rows(rows: pd.DataFrame, path: Path) -> None:
    """Write rows to a new CSV file; an existing one is never replaced."""
    write_new(safe_table(rows).to_csv(index=False), path)


def write_new(text: str, path: Path) -> None:
    """Write text to a new file; an existing one is never replaced."""
    if path.exists():
        raise InputError(f"{path} exists already; name another file.")
    with written_beside(path) as beside:
        beside.write_bytes(text.encode())


def is_many(runs: Sequence[Run]) -> bool:
    """Return whether these are too many to be read side by side."""
    return len(runs) > len(string.ascii_uppercase)


def comparison_report(runs: Sequence[Run]) -> str:
    """Return the comparison as text: runs, differences, scores, and what to beware of."""
    parts = [
        _list_of_runs(runs),
        _differences(runs),
        "\n".join(notes(runs)),
        f"Held-out test scores:\n{_clustering_table(runs)}",
        _few_label_table(runs),
        HOW_TO_READ,
    ]
    return "\n\n".join(part for part in parts if part)


# What the runs are


def _list_of_runs(runs: Sequence[Run]) -> str:
    width = max(len(str(run.folder)) for run in runs)
    lines = [f"  {run.letter}  {run.folder!s:{width}}  {_in_words(run)}" for run in runs]
    return "\n".join([f"{len(runs)} runs:", *lines])


def _in_words(run: Run) -> str:
    described = described_config(run.config)
    known = [f"{name} {described[name]}" for name in ("seed", "epochs") if name in described]
    return ", ".join([described.get("data", "?"), f"k = {_text_of_ks(run)}", *known])


def _text_of_ks(run: Run) -> str:
    return " and ".join(str(k) for k in sorted(_ks(run)))


def _ks(run: Run) -> set[int]:
    test = test_rows(run)
    return {int(k) for k in test["n_clusters"].dropna()}


def described_config(config: dict[str, Any]) -> dict[str, str]:
    """Return all that config.json says of a run, by the names the command line has for it."""
    parts = ("arguments", "settings", "data", "versions", "machine")
    arguments, settings, data, versions, machine = (config.get(name) or {} for name in parts)
    resolved = {"epochs": settings.get("max_iter"), "n_clusters": settings.get("n_clusters")}
    named = {"data": data.get("name"), "fingerprint of data": data.get("fingerprint", "")[:12]}
    said = named | settings | arguments | {k: v for k, v in resolved.items() if v is not None}
    said |= {f"version of {k}": v for k, v in versions.items()}
    said |= {f"machine: {k}": v for k, v in machine.items()}
    return {name: _as_text(value) for name, value in said.items() if name not in _SAID_ELSEWHERE}


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        value = ",".join(map(str, value))
    text = NOTHING if value is None else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _differences(runs: Sequence[Run]) -> str:
    configs = [described_config(run.config) for run in runs]
    names = dict.fromkeys(name for config in configs for name in config)
    differing = {
        name: [config.get(name, NOTHING) for config in configs]
        for name in names
        if len({config.get(name, NOTHING) for config in configs}) > 1
    }
    if not differing:
        return "Nothing differs in their configuration, data and versions."
    letters = [run.letter for run in runs]
    table = pd.DataFrame.from_dict(differing, orient="index", columns=letters)
    return f"What differs in their configuration:\n{_indented(table.to_string())}"


# Scores


def test_rows(run: Run) -> pd.DataFrame:
    """Return the held-out rows of a run's clusterings."""
    return run.rows[(run.rows["split"] == "test") & run.rows["budget"].isna()]


def _clustering_table(runs: Sequence[Run]) -> str:
    """Return a line per pipeline and run, those of one pipeline together."""
    rows = _beside(runs, test_rows)
    names = dict(SHOWN)
    if rows["accuracy_matched"].isna().any():
        names["silhouette"] = "silhouette"
    shown = {k: v for k, v in names.items() if rows[k].notna().any()}
    scores = rows[list(shown)].rename(columns=shown)
    lost = rows[rows["status"] != OK]
    notes = [
        f"  {run} {pipeline} {status}: {shortened(str(reason))}"
        for (pipeline, run), status, reason in zip(
            lost.index.tolist(), lost["status"], lost["reason"], strict=True
        )
    ]
    return "\n".join([_text_of(scores), *notes])


def _few_label_table(runs: Sequence[Run]) -> str:
    """Return mean accuracies by label budget; "" without any."""
    rows = _beside(runs, _few_label_rows)
    if rows.empty:
        return ""
    pipelines = rows.index.unique()
    table = rows.pivot_table(index=["pipeline", "run"], columns="budget", values="accuracy")
    table = table.loc[pipelines]
    table.columns = pd.Index([str(int(budget)) for budget in table.columns])
    draws = sorted({int(run.rows["draw"].nunique()) for run in runs} - {0})
    of = f"means of {' or '.join(map(str, draws))} draws"
    return f"Test accuracy from so many labels per class ({of}):\n{_text_of(table)}"


def _few_label_rows(run: Run) -> pd.DataFrame:
    rows = run.rows
    return rows[rows["budget"].notna() & rows["accuracy"].notna()]


def _beside(runs: Sequence[Run], choose: Callable[[Run], pd.DataFrame]) -> pd.DataFrame:
    """Return chosen rows by pipeline and run, pipelines in the order they first occur in."""
    chosen = [choose(run).assign(run=run.letter) for run in runs]
    rows = pd.concat(chosen, ignore_index=True)
    pipelines = zip(rows["features"], rows["method"], strict=True)
    rows = rows.assign(pipeline=[pipeline_name(features, method) for features, method in pipelines])
    place = {pipeline: i for i, pipeline in enumerate(dict.fromkeys(rows["pipeline"]))}
    rows = rows.assign(place=rows["pipeline"].map(place))
    return rows.sort_values(["place", "run"], kind="stable").set_index(["pipeline", "run"])


def _text_of(table: pd.DataFrame) -> str:
    table.index.names = [None, None]
    return _indented(table.to_string(float_format=number, na_rep=NOTHING))


def _indented(text: str) -> str:
    return "\n".join(f"  {line.rstrip()}" for line in text.splitlines())


# What to beware of


def notes(runs: Sequence[Run]) -> list[str]:
    """Return what makes scores of these runs unfit to be compared, a line each."""
    return [note for note in (_of_data(runs), _of_k(runs), _of_labels(runs)) if note]


def _of_data(runs: Sequence[Run]) -> str:
    groups = _grouped((run.config["fingerprint"], run.letter) for run in runs)
    if len(groups) == 1:
        return ""
    names = {run.config["data"].get("name") for run in runs}
    why = (
        " (the same name, but other samples or labels; for a file with x alone, the seed chooses "
        "what is kept for test)"
        if len(names) == 1
        else ""
    )
    return (
        f"WARNING: the runs scored different data, {_against(groups.values())}{why}: no score of "
        "the one says anything about the other."
    )


def _of_k(runs: Sequence[Run]) -> str:
    groups = _grouped((_text_of_ks(run), run.letter) for run in runs)
    if len(groups) == 1:
        return ""
    ks = ", ".join(f"{'/'.join(letters)}: {k}" for k, letters in groups.items())
    return (
        f"WARNING: the numbers of clusters differ ({ks}): do not compare accuracy, purity or NMI, "
        "which depend on k; AMI and ARI are corrected for chance."
    )


def _of_labels(runs: Sequence[Run]) -> str:
    blind = [run.letter for run in runs if test_rows(run)["accuracy_matched"].isna().all()]
    if not blind:
        return ""
    return (
        f"NOTE: {' and '.join(blind)} had no test labels; silhouette compares clusterings of the "
        "same codes only, never two encoders."
    )


def _grouped(pairs: Iterable[tuple[Any, str]]) -> dict[Any, list[str]]:
    groups: dict[Any, list[str]] = {}
    for key, letter in pairs:
        groups.setdefault(key, []).append(letter)
    return groups


def _against(groups: Iterable[list[str]]) -> str:
    return " against ".join(" and ".join(letters) for letters in groups)
