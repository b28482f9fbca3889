"""All that a page shows, as one tree of plain values."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ae_cluster.common.table_options import listed
from ae_cluster.datasets import Dataset
from ae_cluster.explorer.colors import group_colors
from ae_cluster.explorer.decoders import read_decoder
from ae_cluster.explorer.described import described_columns
from ae_cluster.explorer.encoders import read_encoder
from ae_cluster.explorer.encoding import Array, packed, packed_ids, packed_places
from ae_cluster.explorer.explanations import close_pairs, explanation
from ae_cluster.explorer.images import cloud_images, cloud_table, per_sheet, picture_shape
from ae_cluster.explorer.projection import carried, space_of
from ae_cluster.explorer.run_arrays import Method, Run
from ae_cluster.explorer.samples import Cloud, IntArray, confidence
from ae_cluster.explorer.suggestions import labelling, typical_rows
from ae_cluster.metrics.clustering import matched_map
from ae_cluster.records.reading import SPLITS, described_pipeline
from ae_cluster.records.rows import pipeline_name
from ae_cluster.reports.run import SHOWN

Tree = dict[str, Any]
MOST_NUMBERS = 50  # of a code that travels in the page, where no decoder asks for all of them
N_TRIED = 500  # codes on which a decoder in half precision is tried
OF_FEATURES = (
    "The method learnt from features, and the page shows the samples that they are of, so it has "
    "no live decoder."
)


def page_content(
    run: Run,
    clouds: Sequence[Cloud],
    budget: IntArray | None,
    data: Dataset | None,
    picture_note: str,
) -> Tree:
    """Return what the page's script reads; nothing in it is markup.

    Parameters
    ----------
    run : Run
    clouds : sequence of Cloud
        The first is shown first.
    budget : ndarray (n_train,) or None
        The smallest label budget each training sample is in.
    data : Dataset or None
        Where the pictures come from.
    picture_note : str
        Why there are no pictures, or "".
    """
    spaces, space_of_method = _spaces(run.methods, clouds)
    decoders, decoder_of_method = _decoders(run)
    encoders, encoder_of_method = _encoders(run)
    shown = data and data.shown
    methods = [
        _method(run, method, clouds, shown)
        | space_of_method[i]
        | decoder_of_method[i]
        | encoder_of_method[i]
        for i, method in enumerate(run.methods)
    ]
    described = run.config["data"]
    return {
        "name": str(described["name"]),
        "seed": run.config["arguments"].get("seed"),
        "n_train": len(run.ids["train"]),
        "n_test": len(run.ids["test"]),
        "classes": _class_names(run),
        "pictures": _pictures(described.get("original") or described, shown, clouds, picture_note),
        "clouds": [
            _cloud(run, cloud, budget) | {"pairs": close_pairs(shown, cloud)} for cloud in clouds
        ],
        "spaces": spaces,
        "decoders": decoders,
        "encoders": encoders,
        "methods": methods,
        "scores": _scores(run),
        "labelling": labelling(run),
        "described": described_columns(run, shown, clouds),
    }


def _class_names(run: Run) -> list[str]:
    """Return the name of every class that occurs; its number where the run keeps no name."""
    labels = [y for y in run.labels.values() if y is not None and len(y)]
    n = max((int(y.max()) + 1 for y in labels), default=0)
    names = [str(name) for name in run.config["data"].get("class_names") or []]
    return names + [str(i) for i in range(len(names), n)] if n else []


def _cloud(run: Run, cloud: Cloud, budget: IntArray | None) -> Tree:
    labels = {split: _known_or_minus_one(run, split) for split in SPLITS}
    arrays: dict[str, Array] = {f"labels_{split}": labels[split] for split in SPLITS}
    arrays |= {f"ids_{split}": run.ids[split] for split in SPLITS}
    arrays |= {
        "budget_train": np.zeros(len(run.ids["train"]), int) if budget is None else budget,
        "budget_test": np.zeros(len(run.ids["test"]), int),
    }
    shown = cloud.of(arrays, "labels")
    return {
        "name": cloud.name,
        "n": len(cloud),
        "n_in_run": cloud.n_in_run,
        "choice": cloud.choice,
        "n_train": len(cloud.rows["train"]),
        "ids": [str(name) for name in cloud.of(arrays, "ids")],
        "labels": packed_ids(shown) if (shown >= 0).any() else None,
        "budget": packed_ids(cloud.of(arrays, "budget")) if budget is not None else None,
        "farther_out": _farther_out(run, cloud),
    }


def _farther_out(run: Run, cloud: Cloud) -> Any:
    """Return which share of the training samples lies farther out; None of an earlier run."""
    arrays = run.methods[0].arrays  # it is the same for all methods
    if "share_farther_out_train" not in arrays:
        return None
    return packed(cloud.of(arrays, "share_farther_out"), "f4")


def _known_or_minus_one(run: Run, split: str) -> IntArray:
    labels = run.labels[split]
    return np.full(len(run.ids[split]), -1) if labels is None else labels.astype(np.int64)


# Methods, their spaces and decoders; what several share travels once


def _method(run: Run, method: Method, clouds: Sequence[Cloud], data: Dataset | None) -> Tree:
    arrays = method.arrays
    known = {f"labels_{split}": _known_or_minus_one(run, split) for split in SPLITS}
    ids = np.concatenate([arrays[f"clusters_{split}"] for split in SPLITS])
    labels = np.concatenate([*known.values()])
    k = max(int(ids.max()) + 1, len(arrays.get("centers", ())), 1)
    truth = run.labels["train"]
    matched = {} if truth is None else matched_map(truth, arrays["clusters_train"])
    sure = [confidence(method, cloud) for cloud in clouds]
    return {
        "name": method.name,
        "n_clusters": k,
        "clusters": [packed_ids(cloud.of(arrays, "clusters")) for cloud in clouds],
        "confidence": [packed(s[1], "f4") if s else None for s in sure],
        "confidence_kind": sure[0][0] if sure[0] else None,
        "explained": [
            explanation(method, cloud, cloud.of(known, "labels"), data) for cloud in clouds
        ],
        "class_of_cluster": [matched.get(i, -1) for i in range(k)] if matched else None,
        "colors": group_colors(labels, _with_every_id(ids, k), _class_names(run)),
    }


def _with_every_id(ids: IntArray, k: int) -> IntArray:
    """Return cluster ids of which the last is k − 1, so that empty clusters have a colour too."""
    return ids if ids.max() == k - 1 else np.where(ids == ids.max(), k - 1, ids)


def _spaces(methods: Sequence[Method], clouds: Sequence[Cloud]) -> tuple[list[Tree], list[Tree]]:
    """Return the different spaces, and which one each method's codes lie in."""
    known: dict[bytes, int] = {}
    spaces: list[Tree] = []
    places: list[Tree] = []
    for method in methods:
        digest = hashlib.sha256()
        for name in ("codes_train", "codes_test"):
            digest.update(np.ascontiguousarray(method.arrays[name]).tobytes())
        key = digest.digest()
        if key not in known:
            known[key] = len(spaces)
            spaces.append(_space(method, clouds))
        places.append({"space": known[key]})
    return spaces, places


def _space(method: Method, clouds: Sequence[Cloud]) -> Tree:
    arrays = method.arrays
    is_needed = method.model.exists() or method.frames is not None
    if arrays["codes_train"].shape[1] > MOST_NUMBERS and not is_needed:
        space, origin, basis = carried(arrays["codes_train"], MOST_NUMBERS)
        arrays = arrays | {
            name: (arrays[name].astype(np.float64) - origin) @ basis
            for name in ("codes_train", "codes_test")
        }
    else:
        space = space_of(arrays["codes_train"])
    film = None
    if method.frames is not None and method.epochs is not None:
        film = {"epochs": method.epochs.tolist()} | packed_places(space.places(method.frames))
    codes = [cloud.of(arrays, "codes") for cloud in clouds]
    n_clusters = int(arrays["clusters_train"].max()) + 1
    return {
        "origin": space.origin.tolist(),
        "directions": space.directions.tolist(),
        "axes": space.axes,
        "note": space.note,
        "codes": [packed(values, "f4") for values in codes],
        "suggested": [packed_ids(typical_rows(values, n_clusters)) for values in codes],
        "film": film,
    }


def _decoders(run: Run) -> tuple[list[Tree], list[Tree]]:
    """Return the different decoders, and which one each method draws with."""
    decoders: list[Tree] = []
    places: list[Tree] = []
    if run.config["data"].get("original"):
        return [], [{"decoder": None, "decoder_note": OF_FEATURES}] * len(run.methods)
    for method in run.methods:
        decoder, note = read_decoder(method.model, method.arrays["codes_train"][:N_TRIED])
        if decoder is not None and decoder not in decoders:
            decoders.append(decoder)
        number = None if decoder is None else decoders.index(decoder)
        places.append({"decoder": number, "decoder_note": note})
    return decoders, places


def _encoders(run: Run) -> tuple[list[Tree], list[Tree]]:
    """Return the different encoders, and which one each method codes with."""
    encoders: list[Tree] = []
    places: list[Tree] = []
    for method in run.methods:
        encoder, note = read_encoder(method, run.config["data"])
        decides = None if encoder is None else encoder.pop("decides")
        if encoder is not None and encoder not in encoders:
            encoders.append(encoder)
        number = None if encoder is None else encoders.index(encoder)
        places.append({"encoder": number, "encoder_note": note, "decides": decides})
    return encoders, places


# Pictures and scores


def _pictures(described: Tree, data: Dataset | None, clouds: Sequence[Cloud], note: str) -> Tree:
    """Return the shape of what a sample looks like, and the samples' own pictures."""
    native = described.get("image_shape")
    if native is None:
        tables = [None if data is None else cloud_table(data, cloud) for cloud in clouds]
        if data is not None and None in tables:
            tables, note = [None] * len(clouds), "The table is too large to travel in this page."
        names = list(data.column_names) if data is not None and None not in tables else []
        return {"native": None, "tables": tables, "columns": names, "note": note}
    height, width, depth = (*native, 1)[:3]
    shape = picture_shape((height, width, depth), sum(map(len, clouds)))
    across, down = per_sheet(shape)
    if shape[:2] != (height, width):
        note = f"The images are {height} × {width} pixels, shown in {shape[0]} × {shape[1]}."
    return {
        "native": [height, width, depth],
        "shape": list(shape),
        "per_sheet": across * down,
        "sheets": [[] if data is None else cloud_images(data, cloud, shape) for cloud in clouds],
        "note": note,
    }


def samples_carried(content: Tree) -> str:
    """Return in one or two sentences what of the samples a page carries."""
    columns = [column["name"] for column in content["described"]]
    more = f" It carries the columns {listed(columns)}, too." if columns else ""
    return f"{_samples_carried(content['pictures'])}{more}"


def _samples_carried(pictures: Tree) -> str:
    if any(pictures.get("sheets", ())):
        return "It carries the samples' images."
    if any(table is not None for table in pictures.get("tables", ())):
        return "It carries the samples' numbers; they are no images."
    return f"It carries codes and ids, and not the samples. {pictures['note']}".rstrip()


def _scores(run: Run) -> Tree:
    """Return the held-out scores of every clustering, as the command line's table has them."""
    scores = run.scores
    if scores is None:
        return {"columns": [], "rows": []}
    test = scores[(scores["split"] == "test") & scores["budget"].isna()]
    columns = {k: v for k, v in SHOWN.items() if k in test and test[k].notna().any()}
    return {
        "columns": list(columns.values()),
        "rows": [
            {
                "features": str(row["features"]),
                "method": str(row["method"]),
                "name": pipeline_name(str(row["features"]), str(row["method"])),
                "shown_by": _shown_by(run, str(row["features"]), str(row["method"])),
                "values": [_number(row[name]) for name in columns],
                "reason": str(row["reason"]) if row["status"] != "ok" else "",
            }
            for _, row in test.iterrows()
        ],
    }


def _shown_by(run: Run, features: str, method: str) -> str | None:
    """Return the method of the page whose scores these are, if it shows one."""
    for shown in run.methods:
        pipeline = described_pipeline(run.config, shown.name)
        if (pipeline["features"], pipeline["method"]) == (features, method):
            return shown.name
    return None


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
