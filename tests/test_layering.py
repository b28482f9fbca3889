"""Imports go down the floors: a new file must be given its floor here."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ae_cluster"

# Within a floor a file may import only from those written before it.
FLOORS = {
    0: [
        "texts", "spreadsheets", "errors", "labels", "global_state", "interrupts", "terminal",
        "ours", "files", "being_written", "bounded_files", "bounded_arrays", "checks", "rows",
        "anchors", "machine", "sklearn_names", "methods", "evaluation", "neighbors", "foreign",
        "clustering", "scalars", "pixels",
    ],
    1: [
        "networks", "threads", "backprop", "adam", "training", "callbacks", "checkpoints",
        "scaling", "inputs", "model_reading", "model_files", "reconstruction", "coding", "fitting",
        "health",
        "manifold", "datasets", "config",
    ],
    2: ["autoencoder"],
    3: ["baselines", "deep", "few_labels", "sorting", "reshaping", "learners", "semi_supervised",
        "scoring"],
    4: ["store", "run_folder", "run_reading", "tables", "comparison", "summaries", "figures",
        "explorer", "run_place"],
    5: ["grid", "sources", "way_rows", "runs", "classifying", "labelling"],
    6: ["commands", "cli", "experiments"],
}  # fmt: skip
NEVER_TORCH = [
    "evaluation", "semi_supervised", "store", "tables", "summaries", "figures", "run_folder",
    "run_reading", "run_place", "explorer", "config", "comparison", "cli",
]  # fmt: skip


def rooms():
    """Return every room's files: a module, or all modules of a folder."""
    found = {path.stem: [path] for path in PACKAGE.glob("*.py") if path.stem != "__init__"}
    found |= {
        folder.name: sorted(folder.rglob("*.py"))
        for folder in PACKAGE.iterdir()
        if (folder / "__init__.py").exists()
    }
    return found | {"experiments": sorted((ROOT / "experiments").glob("*.py"))}


def imports_of(files):
    """Return the rooms these files import, wherever in the file the import stands."""
    found = set()
    for node in (n for path in files for n in ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ae_cluster"):
            parts = (node.module or "").split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names = [a.name.split(".") for a in node.names]
            found |= {n[1] for n in names if n[0] == "ae_cluster" and len(n) > 1}
    return found


@cache
def graph():
    """Return room → the rooms it imports."""
    known = rooms()
    return {room: (imports_of(files) & known.keys()) - {room} for room, files in known.items()}


def floor_of(room):
    return next(floor for floor, names in FLOORS.items() if room in names)


def test_every_room_has_one_floor():
    named = [name for names in FLOORS.values() for name in names]
    assert sorted(named) == sorted(rooms())


def test_imports_go_down():
    upward = [
        f"{room} (floor {floor_of(room)}) imports {other} (floor {floor_of(other)})"
        for room, others in graph().items()
        for other in others
        if floor_of(other) > floor_of(room)
    ]
    assert upward == []


def test_no_circle():
    assert list(TopologicalSorter(graph()).static_order())


def test_no_circle_inside_a_folder():
    for room, files in rooms().items():
        if room == "experiments" or len(files) == 1:
            continue
        names = {f"ae_cluster.{room}.{path.stem}": path for path in files}
        inner = {
            name: {
                node.module
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.ImportFrom) and node.module in names
            }
            for name, path in names.items()
        }
        assert list(TopologicalSorter(inner).static_order())


def test_rows_and_pictures_never_load_torch():
    reached, files, imported = {}, rooms(), graph()

    def reach(room):
        if room not in reached:
            reached[room] = set()
            text = "".join(path.read_text() for path in files[room])
            if "import torch" in text or "from torch" in text:
                reached[room].add(room)
            for other in imported[room]:
                reached[room] |= reach(other)
        return reached[room]

    # datasets loads torchvision inside the function that downloads; cli loads runs when it must.
    late = {"datasets"}
    for room in NEVER_TORCH:
        if room != "cli":
            assert reach(room) <= late, room
