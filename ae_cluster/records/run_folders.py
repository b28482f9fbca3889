"""Where runs go by default: runs/NAME-seedS, and the next of these that is free."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ae_cluster.common.errors import InputError
from ae_cluster.records.config import RunConfig, differing, read_config


def free_folder(dataset: str, seed: int, parent: Path = Path("runs")) -> Path:
    """Return the first of runs/NAME-seedS, runs/NAME-seedS-2, … that does not exist yet."""
    return next(place for place in _places(dataset, seed, parent) if not place.exists())


def usual_folder(dataset: str, seed: int, parent: Path) -> Path:
    """Return PARENT/NAME-seedS, whether it exists or not."""
    return next(_places(dataset, seed, parent))


def folder_to_go_on_with(config: RunConfig, parent: Path = Path("runs")) -> Path:
    """Return the first of those that is the run of this configuration, or does not exist yet."""
    return next(
        place
        for place in _places(config.dataset, config.seed, parent)
        if not place.exists() or _is_run_of(place, config)
    )


def _places(dataset: str, seed: int, parent: Path) -> Iterator[Path]:
    # Of a long name the beginning: no file system takes more than 255 bytes.
    stem = f"{Path(dataset).stem.lower()[:50]}-seed{seed}"
    return (parent / (stem if i == 1 else f"{stem}-{i}") for i in range(1, 10_000))


def _is_run_of(folder: Path, config: RunConfig) -> bool:
    try:
        content = read_config(folder / "config.json")
    except InputError:
        return False
    names = config.dataset, str(Path(config.dataset).expanduser().absolute())
    there = content["arguments"]
    return there.get("dataset") in names and differing(there, config.to_json()) in ([], ["dataset"])
