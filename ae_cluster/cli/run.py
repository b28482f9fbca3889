"""``ae-cluster run``: the main job."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ae_cluster
from ae_cluster.cli import arguments as read
from ae_cluster.cli.commands import EXAMPLES, add_command
from ae_cluster.cli.output import add_json, print_json, records
from ae_cluster.common.errors import InputError
from ae_cluster.common.feature_files import is_feature_file
from ae_cluster.common.files import expanded
from ae_cluster.methods import current_name, is_external
from ae_cluster.records.config import SPLITS, RunConfig, read_config
from ae_cluster.records.run_folders import folder_to_go_on_with, free_folder

if TYPE_CHECKING:
    import pandas as pd

HOW = ("data_home", "download", "device", "force", "resume", "figures")  # it is carried out


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    d = RunConfig()
    run = add_command(
        commands, "run", epilog=EXAMPLES,
        description="Train an autoencoder, cluster its codes with KMeans and a Gaussian mixture, "
        "or by the methods named, score them on held-out labels, try classifiers from a few "
        "labels, and draw it all.",
        argument_default=argparse.SUPPRESS,  # so that --config knows what was said
    )  # fmt: skip
    option = run.add_argument
    read.add_data(
        option,
        "datasets",
        "a name (see: ae-cluster datasets), a file (%(formats)s) or a folder of pictures or "
        f"shards; default: {d.dataset}; of several each has a run of its own, in OUT/DATA-seedN",
        nargs="*",
    )
    option("--out", type=read.path, help="run folder to write; default: runs/DATASET-seedN")
    option("--seed", type=read.whole(0), help=f"of everything random; default: {d.seed}")
    option(
        "--seeds",
        type=read.whole(1),
        metavar="N",
        help="a run for each of the seeds 0 … N−1, in OUT/DATA-seedN, all tested on the same "
        "samples; OUT is by default: runs. Then: ae-cluster compare OUT",
    )
    option(
        "--method",
        action="append",
        type=current_name,
        dest="methods",
        metavar="NAME",
        help="again for more: a name (see: ae-cluster methods) or a clusterer as module:Class; "
        f"default: {' and '.join(d.methods)}",
    )
    option(
        "--n-clusters",
        type=read.n_clusters,
        metavar="K|auto",
        help="number of clusters; known for named data sets, needed for files by most methods; "
        "auto: the first of ae-cluster suggest-k",
    )
    option(
        "--epochs",
        type=read.whole(0),
        help="of the autoencoder and of the methods that train after it; default: 10, or as many "
        "as make 5,000 steps, and each method's own",
    )
    option(
        "--n-components", type=read.whole(1), help=f"size of the code; default: {d.n_components}"
    )
    option("--hidden-layer-sizes", type=read.sizes, metavar="N,N,…", help="default: 128,64,12")
    option("--kind", choices=("dense", "conv"), help=f"of network; default: {d.kind}")
    option("--batch-size", type=read.whole(1), help=f"default: {d.batch_size}")
    option("--learning-rate-init", type=float, help=f"default: {d.learning_rate_init}")
    option(
        "--test-size", type=float, help=f"share of a file's x kept for test; default: {d.test_size}"
    )
    option(
        "--split-seed",
        type=read.whole(0),
        metavar="N",
        help="of the choice of test samples, which --seed does not change, so that seeds can be "
        f"compared; default: {d.split_seed}",
    )
    read.add_reading_options(option)
    option(
        "--budgets",
        type=read.sizes,
        metavar="N,N,…",
        help="labels per class to classify from; default: 1,2,5,10,50,100",
    )
    option(
        "--draws",
        type=read.whole(1),
        help=f"random label splits of every budget; default: {d.draws}",
    )
    option(
        "--config",
        type=read.path,
        metavar="RUN/config.json",
        help="take every argument from an earlier run; options given beside it come first",
    )
    option(
        "--trust-config",
        action="store_true",
        default=False,
        help="import and run the module:Class that --config names; without this, only what "
        "--method names is",
    )
    option(
        "--data-home",
        type=read.path,
        default=None,
        help="where data sets lie; default: $AE_CLUSTER_DATA, else the user's cache folder",
    )
    option(
        "--download",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="fetch a named data set that is not there; default: yes",
    )
    option(
        "--figures",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="draw them; default: yes",
    )
    option("--device", default="auto", help="cpu, cuda, …; default: a GPU where there is one")
    option(
        "--force",
        action="store_true",
        default=False,
        help="replace a run; other files stay",
    )
    option("--resume", action="store_true", default=False, help="go on with a run that was killed")
    option(
        "--plan",
        action="store_true",
        default=False,
        help="say what it will take (rows, bytes read, memory, seconds by step, and which steps "
        "are on a sample), and do nothing",
    )
    add_json(run)
    run.set_defaults(function=_run)


def _run(arguments: argparse.Namespace) -> int:
    said = {k: v for k, v in vars(arguments).items() if k in RunConfig.__dataclass_fields__}
    datasets = getattr(arguments, "datasets", [])
    if datasets:
        said["dataset"] = datasets[0]
    if "methods" in said:
        said["methods"] = tuple(said["methods"])
    earlier = RunConfig()
    fingerprint = if_other = None
    if hasattr(arguments, "config"):
        content = read_config(arguments.config)
        before, fingerprint = content["arguments"], content["fingerprint"]
        earlier = RunConfig.from_json(before)
        if "methods" not in said and not arguments.trust_config:
            _refuse_external_code(arguments.config, before.get("methods"))
        if _splits_anew(said, before):
            fingerprint = None
        elif "dataset" in said:
            if_other = _on_other_data(said["dataset"], arguments.config, content)
    config = replace(earlier, **said)
    if arguments.plan:
        return _tell_plan(arguments, config, datasets or [config.dataset])
    if len(datasets) > 1 or hasattr(arguments, "seeds"):
        return _run_many(arguments, config, datasets or [config.dataset], fingerprint, if_other)
    out = getattr(arguments, "out", None) or _free_place(config, arguments.resume)

    from ae_cluster.common import progress
    from ae_cluster.runs.run import run  # loads torch: only now

    rows = run(
        config,
        out,
        **{name: getattr(arguments, name) for name in HOW},
        expected_fingerprint=fingerprint,
        if_other_data=if_other,
        verbose=True,
        say=progress.say,
    )
    if arguments.json:
        print_json(_as_json(rows, out))
    else:
        print(_report(rows, out), flush=True)
    return 0 if _has_score(rows) else 1


def _tell_plan(arguments: argparse.Namespace, config: RunConfig, datasets: list[str]) -> int:
    """Print what the runs will take, and return the exit code."""
    from ae_cluster.common import progress
    from ae_cluster.reports.plan import plan_report
    from ae_cluster.runs.estimate import estimate

    how = {name: getattr(arguments, name) for name in ("data_home", "download", "figures")}
    n_seeds = getattr(arguments, "seeds", 1)
    found = [estimate(replace(config, dataset=name), **how) for name in datasets]
    if arguments.json:
        print_json({"plans": found, "seeds": n_seeds})
    else:
        print("\n\n".join(map(plan_report, found)))
        if len(found) * n_seeds > 1:
            seconds = n_seeds * sum(plan["seconds"] for plan in found)
            print(f"\n{len(found) * n_seeds} runs: about {progress.in_words(seconds)}.")
    return 0


def _has_score(rows: pd.DataFrame) -> bool:
    return bool((rows.loc[rows["budget"].isna(), "status"] == "ok").any())


def _run_many(
    arguments: argparse.Namespace,
    config: RunConfig,
    datasets: list[str],
    fingerprint: str | None,
    if_other: str | None,
) -> int:
    """Carry out a run for each data set and seed, and return the exit code."""
    if hasattr(arguments, "seeds") and hasattr(arguments, "seed"):
        raise InputError("--seed is one and --seeds are several; say one of them.")
    seeds = range(arguments.seeds) if hasattr(arguments, "seeds") else [config.seed]
    out = getattr(arguments, "out", Path("runs"))

    from ae_cluster.common import progress
    from ae_cluster.runs.many import configs_of, run_many  # loads torch: only now

    rows = run_many(
        configs_of(config, datasets, seeds),
        out,
        {name: getattr(arguments, name) for name in HOW}
        | {"expected_fingerprint": fingerprint, "if_other_data": if_other},
        progress.say,
    )
    if arguments.json:
        print_json({"runs": [_as_json(of_one, folder) for folder, of_one in rows.items()]})
    else:
        print(f"{len(rows)} runs: {out}\nMedians, intervals and a paired test: {_next(out, rows)}")
    return 0 if all(map(_has_score, rows.values())) else 1


def _next(out: Path, folders: Iterable[Path]) -> str:
    """Return the command that compares runs; in a folder that holds others it names each."""
    others = {path.parent.resolve() for path in out.glob("*/config.json")}
    is_all = others == {folder.resolve() for folder in folders}
    named = [out] if is_all else [out / folder.name for folder in folders]
    return f"ae-cluster compare {' '.join(shlex.quote(str(path)) for path in named)}"


def _as_json(rows: pd.DataFrame, out: Path) -> dict[str, Any]:
    figures = sorted((out / "figures").glob("*.png"))
    return {"run": out, "figures": figures, "scores": records(rows)}


def _free_place(config: RunConfig, resume: bool) -> Path:
    return folder_to_go_on_with(config) if resume else free_folder(config.dataset, config.seed)


def _refuse_external_code(path: Path, methods: Any) -> None:
    """Raise when a configuration names code to import: only who calls may ask for that."""
    names = methods if isinstance(methods, list) else []
    external = [name for name in names if isinstance(name, str) and is_external(name)]
    if external:
        listed = " and ".join(map(repr, external[:3]))
        raise InputError(
            f"{path} names {listed}, code that would be imported and run; if you trust it, name "
            "it yourself with --method, or say --trust-config."
        )


def _splits_anew(said: dict[str, Any], earlier: dict[str, Any]) -> bool:
    """Return whether the same data are to be split or read in another way."""
    before = str(earlier.get("dataset"))
    named = said.get("dataset", before)
    is_same = before in (named, str(expanded(named).absolute()))
    files = any(is_feature_file(arguments.get("features")) for arguments in (said, earlier))
    return is_same and (not SPLITS.isdisjoint(said) or ("features" in said and files))


def _on_other_data(dataset: str, path: Path, content: dict[str, Any]) -> str:
    """Return what to say where the data are not those of the run that a configuration is of."""
    told = (
        f"note: {dataset} is not the data of {path}, of which only the settings are taken: a new "
        "model is trained, and its codes and clusters are not those of that run."
    )
    pipelines = content.get("methods")
    for name, pipeline in pipelines.items() if isinstance(pipelines, dict) else ():
        kind = pipeline.get("model", "none") if isinstance(pipeline, dict) else "none"
        if kind in ae_cluster.__all__:
            place = path.parent / "methods" / name / "model"
            return f"{told} To apply the model of that run, in Python: {kind}.load({str(place)!r})."
    return told


def _report(rows: pd.DataFrame, out: Path) -> str:
    from ae_cluster.reports.run import run_report

    return run_report(rows, out)
