"""A run as one ONNX file, from a user's samples to codes, clusters and memberships."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ae_cluster import __version__
from ae_cluster.clustering.deep import N2D
from ae_cluster.clustering.heads import ScoredHead, softmax
from ae_cluster.common.chunks import slices
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import written_beside
from ae_cluster.common.global_state import default_state
from ae_cluster.datasets.image_files import HOW_READ
from ae_cluster.records.reading import method_names
from ae_cluster.runs.assigner import Assigner
from ae_cluster.runs.checked_samples import samples_to_check
from ae_cluster.runs.classifiers import kept_scores
from ae_cluster.runs.usable_codes import method_to_learn_from
from ae_cluster.runs.whole_model import ByScores, WholeModel, encoder_of, whole_model
from ae_cluster.semi_supervised.label_files import refuse_existing_table

ENDING, PRODUCER = ".onnx", "ae_cluster"
INPUT, OUTPUTS = "x", ("code", "cluster", "probabilities")
TOLERANCE = 1e-5  # of codes, beyond 1 relative, and of memberships
_CHUNK = 4096  # samples
_UNITS = {
    "bytes": "images of bytes, 0 to 255",
    "unit": "images of numbers from 0 to 1",
    "table": "rows of a table, not scaled",
}


class Exported(NamedTuple):
    """What was written, and how it was checked.

    Attributes
    ----------
    out, method : str
    input : dict
        name, dtype, shape (None is the number of samples) and meaning of the input.
    n_clusters : int
    n_checked : int
        Samples on which ONNX Runtime gave what the run gives.
    checked_on : str
    codes_differ, probabilities_differ : float
        At most, there; neither more than `TOLERANCE`.
    """

    out: str
    method: str
    input: dict[str, Any]
    n_clusters: int
    n_checked: int
    checked_on: str
    codes_differ: float
    probabilities_differ: float


Reference = Callable[[NDArray[Any]], tuple[NDArray[Any], ...]]


class Exportable(NamedTuple):
    """One method of a run, ready to be exported.

    Attributes
    ----------
    method : str
    model : WholeModel
    reference : callable
        Takes samples and returns the codes, clusters and memberships they have in the run.
    about : dict
        What its file says of it, as JSON takes it.
    """

    method: str
    model: WholeModel
    reference: Reference
    about: dict[str, Any]


@default_state()
def export_run(
    run: Path,
    out: Path,
    *,
    method: str | None = None,
    force: bool = False,
    data_home: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Write one method of a run as an ONNX file, once ONNX Runtime gives what the run gives.

    Parameters
    ----------
    run : Path
        Folder of a run.
    out : Path
    method : str or None
        The folder under methods/, or a classifier that `ae-cluster classify` has learnt on the
        run's codes; None: the first method that was asked for.
    force : bool
        Replace a file of this kind.
    data_home : Path or None
        Where the run's data set lies, as in `ae_cluster.load_dataset`.
    say : callable
        Takes a line of text.

    Raises
    ------
    InputError
        When a package is missing, the method cannot be exported, or what is exported would not
        agree with `Assigner`.
    """
    known = method_names(run)
    check_place(out, force)
    check_packages()
    if method is None or method in known:
        assigner = Assigner(run, method)
        found = of_assigner(assigner)
        for note in assigner.notes:
            say(note)
    else:
        assigner = Assigner(run, method_to_learn_from(run))
        found = of_classifier(assigner, method)
    described = input_of(assigner)
    samples, checked_on = samples_to_check(assigner, described, data_home)
    content = onnx_bytes(found, described, samples[:2])
    differ = check(content, found, samples, out)
    with written_beside(out) as beside:
        beside.write_bytes(content)
    n_clusters = len(found.about["class_names"])
    return Exported(
        str(out), found.method, described, n_clusters, len(samples), checked_on, *differ
    )


# What is refused before anything is done


def check_place(out: Path, force: bool) -> None:
    """Raise unless a model can be written at ``out`` and replaces nothing but another of ours.

    Raises
    ------
    InputError
    """
    if out.suffix.lower() != ENDING:
        raise InputError(f"{out} must end in {ENDING}; name it so.")
    if not (force and out.is_file()):
        refuse_existing_table(out, False)
        return
    check_packages()
    if not _is_ours(out):
        raise InputError(
            f"{out} is no model that ae-cluster export wrote, so it is not replaced; name another "
            "file."
        )


def _is_ours(path: Path) -> bool:
    import onnx

    try:
        return bool(onnx.load(path, load_external_data=False).producer_name == PRODUCER)
    except Exception:  # protobuf's own, and what else a file of anything may cause
        return False


def check_packages() -> None:
    """Raise when what torch's exporter needs is not installed.

    Raises
    ------
    InputError
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"ae-cluster export needs {error.name}, which is not installed: pip install "
            '"ae-cluster[onnx]".'
        ) from error


# What is exported


def of_assigner(assigner: Assigner) -> Exportable:
    """Return the method of an assigner as it is exported.

    Raises
    ------
    InputError
        When it has no form that ONNX can hold.
    """
    if isinstance(assigner.model, N2D):
        raise InputError(
            f"{assigner.method} cannot be exported: its clusters are those of a UMAP of the "
            "training samples, which is no network; take another --method, or ae-cluster assign."
        )
    if not isinstance(assigner.head, ScoredHead):
        raise InputError(
            f"{assigner.method} cannot be exported: its clusterer keeps no rule for new samples, "
            "the nearest training code decides; take another --method, or ae-cluster assign."
        )

    def reference(x: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        rows = x.reshape(len(x), -1)
        assigned = assigner.of_rows(rows)
        assert assigned.soft is not None
        return assigner.codes_of_rows(rows), assigned.clusters, assigned.soft

    about = _about(assigner, assigner.method, assigner.class_names)
    return Exportable(assigner.method, whole_model(assigner), reference, about)


def of_classifier(assigner: Assigner, name: str) -> Exportable:
    """Return a classifier that was learnt on the codes of an assigner as it is exported.

    Raises
    ------
    InputError
        When the run keeps none of that name.
    """
    scores, class_names = kept_scores(assigner.folder, name, assigner.head.centers.shape[1])

    def reference(x: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        codes = assigner.codes_of_rows(x.reshape(len(x), -1))
        soft = softmax(scores.scores_of(codes.astype(np.float64)))
        return codes, soft.argmax(axis=1), soft

    model = WholeModel(encoder_of(assigner), ByScores(scores))
    return Exportable(name, model, reference, _about(assigner, name, class_names))


def _about(assigner: Assigner, method: str, class_names: Sequence[str]) -> dict[str, Any]:
    data = assigner.config["data"]
    return {
        "method": method,
        "codes": assigner.method,
        "class_names": list(class_names),
        "column_names": data.get("column_names") or [],
        "preparation": data.get("preparation"),
        "fingerprint": assigner.config["fingerprint"],
    }


def input_of(assigner: Assigner) -> dict[str, Any]:
    """Return name, type, shape and meaning of the samples that a run was made on."""
    data, units = assigner.config["data"], assigner.kept.units
    shape = data.get("image_shape") if units != "table" else None
    described = {
        "name": INPUT,
        "dtype": "uint8" if units == "bytes" else "float32",
        "shape": [None, *(shape or [_n_features(assigner)])],
        "meaning": _UNITS[units],
    }
    return described | ({"of_files": HOW_READ} if units == "bytes" else {})


def _n_features(assigner: Assigner) -> int:
    if (n := assigner.config["data"].get("n_features")) is not None:
        return int(n)
    model = assigner.model  # of the first versions
    return int(assigner.head.centers.shape[1] if model is None else model.n_features_in_)


# The file


def onnx_bytes(found: Exportable, described: dict[str, Any], few: NDArray[Any]) -> bytes:
    """Return a method as an ONNX file with its description in the metadata."""
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's exporter, about itself
        program = torch.onnx.export(
            found.model,
            (torch.from_numpy(few),),
            dynamo=True,
            verbose=False,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes=({0: torch.export.Dim("n")},),
            custom_translation_table={torch.ops.aten._cdist_forward.default: _pairwise_distances},
        )
    assert program is not None
    proto = program.model_proto
    graph = proto.graph
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]  # of the exporter, with paths of this machine
    proto.producer_name, proto.producer_version = PRODUCER, __version__
    about = {"input": described, "outputs": list(OUTPUTS)} | found.about
    texts = {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)
             for k, v in about.items()}  # fmt: skip
    onnx.helper.set_model_props(proto, texts)
    return bytes(proto.SerializeToString())


def _pairwise_distances(first: Any, second: Any, p: float = 2.0, compute_mode: Any = None) -> Any:  # noqa: ARG001
    """Return torch's ``cdist`` of p = 2, for which its exporter has no translation."""
    import onnxscript

    op: Any = onnxscript.opset18
    apart = op.Sub(op.Unsqueeze(first, [1]), second)
    return op.Sqrt(op.ReduceSum(op.Mul(apart, apart), [2], keepdims=0))


# The check


def check(
    content: bytes, found: Exportable, samples: NDArray[Any], out: Path
) -> tuple[float, float]:
    """Return by how much codes and memberships of ONNX Runtime differ from the run's at most.

    Raises
    ------
    InputError
        When codes or memberships differ by more than `TOLERANCE`, or a cluster is another.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    worst, n_other = np.zeros(2), 0
    for part in slices(len(samples), _CHUNK):
        x = samples[part]
        code, cluster, soft = session.run(list(OUTPUTS), {INPUT: x})
        wanted_code, wanted_cluster, wanted_soft = found.reference(x)
        differ = (
            np.abs(code - wanted_code) / np.maximum(1, np.abs(wanted_code)),
            np.abs(soft - wanted_soft),
        )
        worst = np.maximum(worst, [values.max() for values in differ])  # NaN where one is
        n_other += int((cluster != wanted_cluster).sum())
    codes, probabilities = worst.tolist()
    if n_other or not (codes <= TOLERANCE and probabilities <= TOLERANCE):
        raise InputError(
            f"The ONNX model does not agree with the run: {n_other:,} of {len(samples):,} samples "
            f"have another cluster, codes differ by up to {codes:.1g} and probabilities by "
            f"{probabilities:.1g}, so {out} is not written; take another --method, or ae-cluster "
            "assign."
        )
    return codes, probabilities
