"""Whether this installation and machine can run everything: findings, each with what to do.

Nothing of what may be broken is imported at the top: it is a finding if it cannot be.
"""

from __future__ import annotations

import math
import os
import platform
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

from ae_cluster.common.global_state import default_state, numba_is_lost
from ae_cluster.common.memory import free_memory
from ae_cluster.common.texts import one_line
from ae_cluster.datasets.fetching import data_folder
from ae_cluster.datasets.named import NAMES, is_here

PACKAGE = "ae-cluster"
GIGABYTE = 1e9
LEAST_FREE = 1.0  # gigabytes: a run of MNIST with its figures and page takes a tenth of it
LEAST_MEMORY = 2.0  # gigabytes: what torch and MNIST take
LEAST_ACCURACY = 0.4  # of the self-test; .65 to .75 are usual, an untrained network reaches .35
MODULES = {"scikit-learn": "sklearn", "pillow": "PIL", "umap-learn": "umap"}
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes
    ----------
    group, subject, found : str
        Such as "versions", "numpy", "2.4.0".
    is_fine : bool
        False: something will not work.
    to_do : str
        What to do about it, or what else can be done; may be "".
    """

    group: str
    subject: str
    found: str
    is_fine: bool = True
    to_do: str = ""


def examine(data_home: str | Path | None = None) -> Iterator[Finding]:
    """Yield all findings, as soon as each is known; the self-test, of some seconds, last."""
    yield from version_findings()
    yield from thread_findings()
    yield device_finding()
    yield from data_findings(data_home)
    yield from space_findings(data_home)
    yield memory_finding()
    yield self_test()


# Versions


def version_findings() -> Iterator[Finding]:
    """Yield the versions of Python, of this package and of what it needs, against the lowest."""
    try:
        lowest_python = metadata(PACKAGE)["Requires-Python"] or ""
        needed = requires(PACKAGE) or []
    except PackageNotFoundError:
        to_do = "install it, so that what it needs is known: pip install ."
        yield Finding("versions", PACKAGE, "not installed", False, to_do)
        return
    yield Finding("versions", PACKAGE, version(PACKAGE))
    yield _against("python", platform.python_version(), lowest_python.removeprefix(">="))
    for requirement in needed:
        name, _, floor = requirement.partition(">=")
        if ";" not in requirement:
            yield _of_package(name.strip(), floor.strip())


def _of_package(name: str, floor: str) -> Finding:
    to_do = f"pip install '{name}>={floor}'"
    try:
        found = version(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of others' optional parts
            import_module(MODULES.get(name, name))
    except PackageNotFoundError:
        return Finding("versions", name, "not installed", False, to_do)
    except Exception as error:  # whatever a broken package does
        told = f"{found} cannot be imported ({one_line(str(error), 200)})"
        return Finding("versions", name, told, False, f"pip install --force-reinstall {name}")
    return _against(name, found, floor, to_do)


def _against(name: str, found: str, floor: str, to_do: str = "") -> Finding:
    if numbers_of(found) >= numbers_of(floor):
        return Finding("versions", name, found)
    told = f"{found}, and at least {floor} is needed"
    return Finding("versions", name, told, False, to_do or f"install {name} {floor} or newer")


def numbers_of(release: str) -> tuple[int, ...]:
    """Return a version as numbers that compare.

    >>> numbers_of("2.10.1+cpu") > numbers_of("2.9")
    True
    """
    return tuple(map(int, re.findall(r"\d+", release.split("+")[0])))


# Computing


def thread_findings() -> Iterator[Finding]:
    """Yield how many cores and threads there are, and whether the threads fit the cores."""
    cores = usable_cores()
    told = f"{cores} usable of {os.cpu_count()}"
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = "others are computing: what takes how long is no measurement" if load > cores else ""
    yield Finding("computing", "cores", f"{told}, load {load:.1f}", to_do=busy)
    for name in THREADS:
        if (said := os.environ.get(name)) is not None:
            yield _of_variable(name, said, cores)
    if numba_is_lost():
        yield Finding("computing", "numba", "its threads are lost by a fork", False, "start anew")


def _of_variable(name: str, said: str, cores: int) -> Finding:
    first = said.split(",")[0].strip()
    if not first.isdecimal() or int(first) < 1:
        to_do = f"unset {name}, or set it to a number from 1 to {cores}"
        return Finding("computing", name, f"{one_line(said, 40)!r} is no number", False, to_do)
    if int(first) > cores:
        to_do = f"set {name}={cores}: more threads than cores wait for each other"
        return Finding("computing", name, f"{first} threads on {cores} cores", False, to_do)
    return Finding("computing", name, first)


def usable_cores() -> int:
    """Return on how many cores this process may compute, as it is bound and limited."""
    bound = getattr(os, "sched_getaffinity", None)
    cores = len(bound(0)) if bound else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such limit
        return cores


def device_finding() -> Finding:
    """Return which device torch computes on."""
    try:
        import torch

        if torch.cuda.is_available():
            name = torch.cuda.get_device_name(0)
            free, whole = (size / GIGABYTE for size in torch.cuda.mem_get_info())
            return Finding("computing", "device", f"{name}, {free:.1f} of {whole:.1f} GB free")
        threads = torch.get_num_threads()
    except Exception as error:  # a driver that does not fit, say
        to_do = "--device cpu does without; else install a torch that fits the driver"
        told = f"torch cannot use its device ({one_line(str(error), 200)})"
        return Finding("computing", "device", told, False, to_do)
    return Finding("computing", "device", f"cpu, torch with {threads} threads")


# Data, disk and memory


def data_findings(data_home: str | Path | None) -> Iterator[Finding]:
    """Yield for every named data set whether it is here, or how to get it."""
    root = data_folder(data_home)
    if root.exists() and not (root.is_dir() and os.access(root, os.R_OK | os.X_OK)):
        to_do = "name another with AE_CLUSTER_DATA or --data-home, or change its permissions"
        yield Finding("data", "folder", f"{root} cannot be read", False, to_do)
        return
    yield Finding("data", "folder", f"{root}" + ("" if root.exists() else ", made when needed"))
    for name in NAMES:
        if name == "digits":
            yield Finding("data", name, "with scikit-learn")
        elif is_here(name, data_home):
            yield Finding("data", name, "here")
        else:
            way = f"ae-cluster run {name} downloads it"
            yield Finding("data", name, "not here", to_do=way)


def space_findings(data_home: str | Path | None) -> Iterator[Finding]:
    """Yield how much can be written where runs, data and temporary files go."""
    places = {
        "current folder": Path.cwd(),
        "data folder": _existing(data_folder(data_home)),
        "temporary files": Path(tempfile.gettempdir()),
    }
    for name, place in places.items():
        yield _of_place(name, place)


def _of_place(name: str, place: Path) -> Finding:
    free = shutil.disk_usage(place).free / GIGABYTE
    told = f"{free:.1f} GB free in {place}"
    if free < LEAST_FREE:
        to_do = f"free some, at least {LEAST_FREE:g} GB, or work elsewhere"
        return Finding("space", name, told, False, to_do)
    if not os.access(place, os.W_OK):
        is_fine = name == "data folder"  # read is all it must be
        return Finding("space", name, f"{place} cannot be written", is_fine, "work elsewhere")
    return Finding("space", name, told)


def _existing(folder: Path) -> Path:
    """Return a folder, or the nearest above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def memory_finding() -> Finding:
    """Return how much memory is free, limits of a container included."""
    free = free_memory() / GIGABYTE
    if math.isnan(free):
        return Finding("space", "memory", "this system does not tell")
    told = f"{free:.1f} GB free"
    if free < LEAST_MEMORY:
        to_do = "close something, or take fewer samples: MNIST takes 1 to 2 GB"
        return Finding("space", "memory", told, False, to_do)
    return Finding("space", "memory", told)


# Does it work?


@default_state()
def self_test() -> Finding:
    """Train a small autoencoder on the bundled digits, cluster its codes and score them."""
    began = time.perf_counter()
    try:
        accuracy = _accuracy_on_digits()
    except Exception as error:  # whatever a broken installation does
        told = f"{type(error).__name__}: {one_line(str(error), 300)}"
        to_do = "mend what is wrong above; if nothing is: pip install --force-reinstall ."
        return Finding("self-test", "digits", told, False, to_do)
    told = f"{accuracy:.2f} of the digits in the right cluster, {time.perf_counter() - began:.1f} s"
    if accuracy < LEAST_ACCURACY:
        to_do = "reinstall torch and numpy: they compute, and what they compute is wrong"
        return Finding("self-test", "digits", told, False, to_do)
    return Finding("self-test", "digits", told)


def _accuracy_on_digits() -> float:
    from ae_cluster.autoencoder import AutoEncoder
    from ae_cluster.clustering.codes import cluster_codes
    from ae_cluster.datasets import load_dataset
    from ae_cluster.metrics.clustering import accuracy_matched

    data = load_dataset("digits")
    model = AutoEncoder(max_iter=40, random_state=0).fit(data.x_train)
    codes = (model.transform(data.x_train), model.transform(data.x_test))
    found = cluster_codes("kmeans", *codes, 10, 0)
    assert data.y_test is not None
    return accuracy_matched(data.y_test, found.test)
