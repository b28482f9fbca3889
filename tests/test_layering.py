"""The layout: places on floors, imports only downwards, torch only where it is named."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ae_cluster"

# A place is a folder of the package or a file beside them; a new one must be given its floor.
FLOORS = {
    1: ["common"],
    2: ["datasets", "metrics", "graphs", "training", "methods"],
    3: ["autoencoder", "records"],
    4: ["clustering", "reports"],
    5: ["semi_supervised", "figures"],
    6: ["explorer"],
    7: ["runs"],
    8: ["cli", "experiments"],
    9: ["__main__"],
}
MOST_IMPORTS = 75  # between places: the fewer, the easier to learn

# The files that may load torch, as folders or single files; all others must do without.
TORCH = [
    "training/", "autoencoder/", "clustering/deep/", "clustering/sorting/",
    "semi_supervised/finetuned/", "runs/",
]  # fmt: skip
# Files of those folders that are loaded to read, not to train.
NEVER_TORCH = [
    "runs/classify.py", "runs/describe.py", "runs/label.py", "runs/samples.py",
    "runs/usable_codes.py",
]  # fmt: skip


def files_of(place):
    if place == "experiments":
        return sorted((ROOT / "experiments").rglob("*.py"))
    file = PACKAGE / f"{place}.py"
    return [file] if file.is_file() else sorted((PACKAGE / place).rglob("*.py"))


@cache
def places():
    files = [p.stem for p in PACKAGE.glob("*.py") if p.stem != "__init__"]
    folders = [p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob("*.py"))]
    return sorted([*files, *folders, "experiments"])


@cache
def imports(path, *, at_once=False):
    """Return the modules of the package a file imports: all, or only those loaded with it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in loaded_nodes(tree) if at_once else ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def loaded_nodes(tree):
    """Walk what runs when a module is imported: no bodies of functions, no TYPE_CHECKING."""
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def place_of(module):
    """Return the place of a module of ours, None for others' and for the package itself."""
    parts = module.split(".")
    if parts[0] == "experiments":
        return "experiments"
    inside = parts[0] == "ae_cluster" and len(parts) > 1 and parts[1] in places()
    return parts[1] if inside else None


@cache
def graph():
    """Return place → the places it imports."""
    return {
        place: {place_of(m) for f in files_of(place) for m in imports(f)} - {place, None}
        for place in places()
    }


def floor_of(place):
    return next(floor for floor, names in FLOORS.items() if place in names)


def test_every_place_has_one_floor():
    assert sorted(name for names in FLOORS.values() for name in names) == places()


def test_imports_go_down():
    """Not upward, and not to a neighbour on the same floor."""
    wrong = [
        f"{place} (floor {floor_of(place)}) imports {other} (floor {floor_of(other)})"
        for place, others in graph().items()
        for other in others
        if floor_of(other) >= floor_of(place)
    ]
    assert wrong == []


def test_places_know_few_others():
    assert sum(map(len, graph().values())) <= MOST_IMPORTS


def test_nothing_imports_experiments():
    assert [place for place, others in graph().items() if "experiments" in others] == []


@pytest.mark.parametrize("place", [p for p in places() if p != "experiments"])
def test_no_circle_inside_a_folder(place):
    names = {module_name(path): path for path in files_of(place)}
    inner = {name: (imports(path) & names.keys()) - {name} for name, path in names.items()}
    for name in names:  # a package hands on what its files define
        if names[name].name == "__init__.py":
            inner = {k: v - {name} for k, v in inner.items() if k != name}
    assert list(TopologicalSorter(inner).static_order()) is not None


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def may_load_torch(path):
    name = path.relative_to(PACKAGE).as_posix()
    return any(name.startswith(start) for start in TORCH) and name not in NEVER_TORCH


def test_torch_is_loaded_by_the_named_files_only():
    """By file, through everything that is imported together with it."""
    names = {module_name(path): path for path in PACKAGE.rglob("*.py")}

    def closure(name, seen):
        if name in seen or name not in names:
            return seen
        seen.add(name)
        for other in imports(names[name], at_once=True):
            parts = other.split(".")
            for i in range(2, len(parts) + 1):
                closure(".".join(parts[:i]), seen)
        return seen

    loads = {
        name for name, path in names.items()
        if any(m.split(".")[0] == "torch" for m in imports(path, at_once=True))
    }  # fmt: skip
    wrong = {
        names[name].relative_to(PACKAGE).as_posix(): sorted(closure(name, set()) & loads)[:2]
        for name in names
        if not may_load_torch(names[name]) and closure(name, set()) & loads
    }
    assert wrong == {}


def test_files_stay_short():
    """A file that grows past about 400 lines becomes a folder."""
    long = {
        path.relative_to(ROOT).as_posix(): n
        for top in (PACKAGE, ROOT / "experiments")
        for path in top.rglob("*.py")
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > 420
    }
    assert long == {}


@pytest.mark.parametrize("folder", ["clustering", "semi_supervised"])
def test_an_autoencoder_is_used_by_its_public_names(folder):
    private = {
        node.name
        for path in files_of("autoencoder")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and is_private(node.name)
    }
    assert private
    wrong = []
    for path in files_of(folder):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.ImportFrom):
                wrong += [f"{where} {a.name}" for a in node.names if is_private(a.name)]
            elif isinstance(node, ast.Attribute) and node.attr in private and not is_own(node):
                wrong.append(f"{where} {ast.unparse(node)}")
    assert wrong == []


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def is_own(attribute):
    """Return whether it is asked of the object itself."""
    return ast.unparse(attribute.value) in ("self", "cls", "super()")
