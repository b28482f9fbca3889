"""Everything needed to do a run again, as one JSON file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ae_cluster.common.bounded_files import read_json_object, reason
from ae_cluster.common.errors import InputError, nearest
from ae_cluster.common.feature_files import ENDINGS, is_feature_file
from ae_cluster.common.image_options import LONGEST_SIDE, ImageOptions, is_size
from ae_cluster.common.scalars import plain
from ae_cluster.common.table_options import ASKED, AUTO, MEDIAN, STANDARD, TableOptions
from ae_cluster.common.texts import quoted, shortened
from ae_cluster.methods import AUTOENCODER, DEFAULTS, GIVEN, LEARNERS, check_methods, current_name

FORMAT_VERSION = 1
LEAST_EPOCHS, LEAST_STEPS, LEAST_OF_WIDE = 10, 5000, 1000
USUAL_WIDTH = (
    784  # numbers of a sample, as in the tutorial; a step takes as long as a sample is wide
)
# Arguments that are of tables, or of folders of pictures, alone.
TABLE = {f.name: f.default for options in (TableOptions, ImageOptions) for f in fields(options)}
# What changes data of one name.
SPLITS = frozenset({"test_size", "split_seed", "image_shape", *TABLE})
# What says how all samples of a data set are read and scaled, whichever of them are held out.
READING = frozenset({"features", "image_shape", "scaling", *TABLE})


@dataclass(frozen=True)
class RunConfig:
    """The arguments of a run; the defaults are the tutorial's.

    Attributes
    ----------
    dataset : str
        A known name or the path of a file.
    seed : int
        Of everything random but the split.
    n_clusters : int, "auto" or None
        "auto": chosen from the training samples, by `ae_cluster.suggest_n_clusters`. None: what
        is known of a named data set; for a file it must be said.
    n_components, hidden_layer_sizes, kind, batch_size, learning_rate_init
        As in `ae_cluster.AutoEncoder`.
    epochs : int or None
        None: the preset of `preset_epochs`.
    test_size : float
        Share of a file's ``x`` kept for test.
    split_seed : int
        Of the choice of these samples: runs of several seeds are tested on the same ones.
    image_shape : tuple or None
        Reads the columns of a file as images.
    label_column, id_column, drop, categorical, impute, layer
        Of a table, as in `ae_cluster.load_dataset`.
    image_size, grey, skip_unreadable
        Of a folder of pictures, likewise.
    budgets : tuple of int
        Labels per class to try.
    draws : int
        How often each budget is drawn.
    methods : tuple of str
        Names of `ae_cluster.methods.METHODS`, or ``module:Class`` of any clusterer.
    scaling : str
        Of a table's columns, as in `ae_cluster.AutoEncoder`.
    features : {"autoencoder", "given"} or path
        Which codes clusterers take: those of an autoencoder, the data themselves, or features of
        the data in a file, which then are what everything learns from.
    """

    dataset: str = "digits"
    seed: int = 0
    n_clusters: int | str | None = None
    n_components: int = 3
    hidden_layer_sizes: tuple[int, ...] = (128, 64, 12)
    kind: str = "dense"
    batch_size: int = 64
    learning_rate_init: float = 0.005
    epochs: int | None = None
    test_size: float = 0.2
    split_seed: int = 0
    image_shape: tuple[int, ...] | None = None
    budgets: tuple[int, ...] = (1, 2, 5, 10, 50, 100)
    draws: int = 6
    methods: tuple[str, ...] = DEFAULTS
    features: str = AUTOENCODER
    scaling: str = AUTO
    label_column: str | None = None
    id_column: str | None = None
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    impute: str | None = None
    layer: str | None = None
    image_size: tuple[int, int] | None = None
    grey: bool = False
    skip_unreadable: bool = False

    def __post_init__(self) -> None:
        """Make NumPy's scalars and arrays plain."""
        for name, value in vars(self).copy().items():
            object.__setattr__(self, name, plain(value))

    def check(self) -> None:
        """Raise an `InputError` for the first argument that cannot be used.

        What only the autoencoder reads, it checks itself.
        """
        for name, (is_allowed, words) in _ALLOWED.items():
            value = getattr(self, name)
            if not is_allowed(value):
                said = f"--{name.replace('_', '-')} {quoted(value)}"
                raise InputError(f"{said} cannot be used; it must be {words}.")
        check_methods(self.methods, self.features)
        learners = [name for name in self.methods if name in LEARNERS]
        if self.epochs == 0 and learners:
            raise InputError(
                f"--epochs 0 leaves {learners[0]} nothing to learn in; ask for at least 1, or "
                "leave it out."
            )

    def to_json(self) -> dict[str, Any]:
        """Return the arguments as JSON takes them; what is said of tables, where it is said."""
        return {
            k: list(v) if isinstance(v, tuple) else v
            for k, v in asdict(self).items()
            if k not in TABLE or v != TABLE[k]
        }

    @classmethod
    def from_json(cls, arguments: dict[str, Any]) -> RunConfig:
        """Return the configuration that `to_json` described; unknown names are refused."""
        known = [field.name for field in fields(cls)]
        for name in arguments:
            if name not in known:
                raise InputError(
                    f"The config has no argument {quoted(name)}: {nearest(name, known)}"
                )
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in _as_now(arguments).items()
        }
        return cls(**values)


def _as_now(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a config's arguments, of whichever version, with the names of today.

    One from before the split had a seed split by ``seed``; one from before scaling could be said
    standardised.
    """
    found = {"split_seed": arguments.get("seed", 0), "scaling": STANDARD} | arguments
    if "methods" in found and isinstance(found["methods"], list | tuple):
        found["methods"] = [
            current_name(name) if isinstance(name, str) else name for name in found["methods"]
        ]
    return found


def _whole(value: Any, least: int, below: int = 2**31) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < below


def table_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run's arguments say of a table's columns, as `load_dataset` takes it."""
    return {name: arguments.get(name, usual) for name, usual in TABLE.items()}


_LONGEST_PATH, _MOST_BUDGETS, _MOST_DRAWS = 4096, 1000, 1000
_COLUMN = (lambda v: v is None or isinstance(v, str), "the name of a column")
_COLUMNS = (
    lambda v: isinstance(v, tuple) and all(isinstance(name, str) for name in v),
    "names of columns",
)
_SEED = (lambda v: _whole(v, 0, 2**32), "a whole number from 0 to 2**32 − 1")
_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "dataset": (
        lambda v: isinstance(v, str) and len(v) < _LONGEST_PATH and "\0" not in v,
        "a name or a path",
    ),
    "seed": _SEED,
    "split_seed": _SEED,
    "n_clusters": (
        lambda v: v in (None, AUTO) or _whole(v, 2),
        f"a whole number from 2 to 2**31 − 1, or {AUTO}",
    ),
    "epochs": (lambda v: v is None or _whole(v, 0), "a whole number from 0 to 2**31 − 1"),
    "test_size": (
        lambda v: isinstance(v, float) and 0 < v < 1,
        "a share between 0 and 1",
    ),
    "budgets": (
        lambda v: isinstance(v, tuple) and len(v) <= _MOST_BUDGETS and all(_whole(n, 1) for n in v),
        f"at most {_MOST_BUDGETS:,} whole numbers of at least 1, like 1,2,5",
    ),
    "draws": (
        lambda v: _whole(v, 1, _MOST_DRAWS + 1),
        f"a whole number from 1 to {_MOST_DRAWS:,}",
    ),
    "methods": (
        lambda v: isinstance(v, tuple) and len(v) > 0 and all(isinstance(n, str) for n in v),
        "names of methods, at least one",
    ),
    "features": (
        lambda v: v in (AUTOENCODER, GIVEN) or is_feature_file(v),
        f"{AUTOENCODER}, {GIVEN} where the data are codes already, or a file "
        f"({', '.join(ENDINGS)}) of features",
    ),
    "scaling": (lambda v: v in [*ASKED], f"one of {', '.join(ASKED)}"),
    "batch_size": (lambda v: _whole(v, 1), "a whole number from 1 to 2**31 − 1"),
    "image_shape": (
        lambda v: v is None or (isinstance(v, tuple) and all(_whole(n, 1) for n in v)),
        "height and width, like 28x28",
    ),
    "label_column": _COLUMN,
    "id_column": _COLUMN,
    "drop": _COLUMNS,
    "categorical": _COLUMNS,
    "impute": (lambda v: v in (None, MEDIAN), f"{MEDIAN}, or left out"),
    "image_size": (is_size, f"height and width of 1 to {LONGEST_SIDE:,}, like 64x64"),
    "grey": (lambda v: isinstance(v, bool), "true or false"),
    "skip_unreadable": (lambda v: isinstance(v, bool), "true or false"),
    "layer": (lambda v: v is None or isinstance(v, str), "the name of a layer"),
}


def preset_epochs(n_train: int, batch_size: int, n_features: int = USUAL_WIDTH) -> int:
    """Return the tutorial's 10 epochs, or as many as make 5,000 steps where the data are few.

    10 epochs of MNIST are 9,380 steps; 10 of the 1,347 bundled digits would be
    220, and the picture a newcomer sees first that of an untrained network.
    Of samples wider than MNIST's, whose steps take longer, fewer are made, but 1,000 at least.
    """
    least = max(LEAST_OF_WIDE, LEAST_STEPS * USUAL_WIDTH // max(USUAL_WIDTH, n_features))
    return max(LEAST_EPOCHS, math.ceil(least / math.ceil(n_train / batch_size)))


def read_config(path: Path) -> dict[str, Any]:
    """Return the content of a run's config.json, checked.

    Raises
    ------
    InputError
        When it is missing, not ours, or of a newer format.
    """
    try:
        content = read_json_object(path)
        _refuse_replaced(content)
        found, arguments = content["format_version"], content["arguments"]
        is_ours = isinstance(found, int) and isinstance(arguments, dict)
        if is_ours and found <= FORMAT_VERSION:
            _check_content(content)
        content["fingerprint"] = content["data"]["fingerprint"] if found <= FORMAT_VERSION else ""
    except FileNotFoundError as error:
        raise InputError(f"There is no config at {path}; give a run's config.json.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not the config of a run ({reason(error)}); give a run's config.json."
        ) from error
    if not is_ours:
        raise InputError(f"{path} is not the config of a run; give a run's config.json.")
    if found > FORMAT_VERSION:
        raise InputError(
            f"{path} has format_version {shortened(str(found))}, and this version of ae_cluster "
            f"reads up to {FORMAT_VERSION}; install a newer ae_cluster."
        )
    content["arguments"] = _as_now(arguments)
    return content


# What other parts of a config must be, where they are there; parts that are read as they are


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_NAME


def _is_described(value: Any) -> bool:
    """Return whether this is a mapping that can be told: of not too many short names."""
    return isinstance(value, dict) and len(value) <= _MOST_SAID and all(map(_is_text, value))


def _is_pipelines(value: Any) -> bool:
    return _is_described(value) and all(
        _is_described(pipeline) and all(map(_is_text, pipeline.values()))
        for pipeline in value.values()
    )


def _is_image_shape(value: Any) -> bool:
    sizes = isinstance(value, list) and len(value) in (2, 3) and all(_whole(n, 1) for n in value)
    return value is None or (sizes and max(value) < 2**16)


def _is_original(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and _is_text(value.get("name"))
        and _is_image_shape(value.get("image_shape"))
    )


def _is_preparation(value: Any) -> bool:
    from ae_cluster.datasets.preparation import Preparation  # loads numpy

    try:
        return value is None or bool(Preparation.from_json(value))
    except InputError:
        return False


_LONGEST_NAME, _MOST_SAID, _MOST_CLASSES = 1000, 1000, 100_000
_PARTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "run_id": (_is_text, "text"),
    "settings": (_is_described, "names with values"),
    "versions": (_is_described, "names with values"),
    "machine": (_is_described, "names with values"),
    "stage_seconds": (_is_described, "names with values"),
    "methods": (_is_pipelines, "the methods, each with its names and texts"),
}
_OF_DATA: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_is_text, "text"),
    "fingerprint": (_is_text, "text"),
    "n_train": (lambda v: _whole(v, 0), "a whole number"),
    "n_test": (lambda v: _whole(v, 0), "a whole number"),
    "n_features": (lambda v: _whole(v, 1), "a whole number of at least 1"),
    "image_shape": (_is_image_shape, "null or a list of height and width"),
    "class_names": (
        lambda v: isinstance(v, list) and len(v) <= _MOST_CLASSES and all(map(_is_text, v)),
        "a list of text",
    ),
    "column_names": (
        lambda v: isinstance(v, list) and len(v) <= _MOST_CLASSES and all(map(_is_text, v)),
        "a list of text",
    ),
    "original": (_is_original, "null, or the name and image_shape of what the features are of"),
    "preparation": (_is_preparation, "null, or what a table's columns became"),
}


def _check_content(content: dict[str, Any]) -> None:
    """Raise for the first part of a config that another part of ours could not read."""
    arguments = {
        name: tuple(v) if isinstance(v, list) else v for name, v in content["arguments"].items()
    }
    for values, parts in (
        (content, _PARTS), (content["data"], _OF_DATA), (arguments, _ALLOWED)
    ):  # fmt: skip
        for name, (is_allowed, words) in parts.items():
            if name in values and not is_allowed(values[name]):
                raise InputError(f"its {name} is {quoted(values[name])} and must be {words}")
    if "name" not in content["data"]:
        raise InputError("it does not name its data")


def _refuse_replaced(content: dict[str, Any]) -> None:
    if "replaced_by" in content:  # see run_place
        raise InputError(
            "a newer run is taking its place; if the command that does so was killed, the same "
            "with --resume ends it"
        )


def differing(there: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """Return the names of the arguments that differ; those left out have their usual value."""
    usual = RunConfig().to_json() | {k: list(v) if v == () else v for k, v in TABLE.items()}
    there, here = usual | there, usual | here
    return [name for name in usual if there[name] != here[name]]
