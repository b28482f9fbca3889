"""The command line: arguments in, run folders out."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ae_cluster import __version__
from ae_cluster.config import RunConfig, free_folder, parse_sizes, read_config
from ae_cluster.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

EPILOG = """\
examples:
  ae-cluster run                                  the bundled digits, in half a minute
  ae-cluster run mnist --out runs/mnist           the tutorial itself (downloads MNIST once)
  ae-cluster run my.npz --n-clusters 7            your own data: x_train and x_test, or x
  ae-cluster run --config runs/mnist/config.json  the same run again
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    warnings.showwarning = _show_warning
    try:
        return int(arguments.function(arguments) or 0)
    except InputError as error:
        print(f"ae-cluster: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has had enough
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        print("ae-cluster: interrupted; the same command with --resume goes on.", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; it loads nothing heavy."""
    parser = argparse.ArgumentParser(
        prog="ae-cluster",
        description="How far can a 3-D autoencoder code be taken? Images to codes to clusters "
        "to honest scores.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ae-cluster {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_run(commands)
    _add_datasets(commands)
    return parser


def _add_run(commands: Any) -> None:
    d = RunConfig()
    run = commands.add_parser(
        "run",
        help="train, cluster, score and draw: the main job",
        description="Train an autoencoder, cluster its codes with KMeans and a Gaussian mixture, "
        "score them on held-out labels, try classifiers from a few labels, and draw it all.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,  # so that --config knows what was said
    )
    add = run.add_argument
    add(
        "dataset",
        nargs="?",
        help=f"a name (see: ae-cluster datasets) or an .npz file; default: {d.dataset}",
    )
    add("--out", type=_path, help="run folder to write; default: runs/DATASET-seedN")
    add("--seed", type=_whole(0), help=f"of everything random; default: {d.seed}")
    add(
        "--n-clusters",
        type=int,
        metavar="K",
        help="known for named data sets; must be said for a file",
    )
    add("--epochs", type=_whole(0), help="default: 10, or as many as make 5,000 steps")
    add("--n-components", type=_whole(1), help=f"size of the code; default: {d.n_components}")
    add("--hidden-layer-sizes", type=_sizes, metavar="N,N,…", help="default: 128,64,12")
    add("--kind", choices=("dense", "conv"), help=f"of network; default: {d.kind}")
    add("--batch-size", type=_whole(1), help=f"default: {d.batch_size}")
    add("--learning-rate-init", type=float, help=f"default: {d.learning_rate_init}")
    add(
        "--test-size", type=float, help=f"share of a file's x kept for test; default: {d.test_size}"
    )
    add("--image-shape", type=_sizes, metavar="HxW", help="read a file's columns as images")
    add(
        "--budgets", type=_sizes, metavar="N,N,…", help="labels per class; default: 1,2,5,10,50,100"
    )
    add("--draws", type=_whole(1), help=f"of every budget; default: {d.draws}")
    add(
        "--config",
        type=_path,
        metavar="RUN/config.json",
        help="take every argument from an earlier run; what is said beside it wins",
    )
    add(
        "--data-home",
        type=_path,
        default=None,
        help="where data sets lie; default: $AE_CLUSTER_DATA, else the user's cache folder",
    )
    add(
        "--download",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="fetch a named data set that is not there; default: yes",
    )
    add(
        "--figures",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="draw them; default: yes",
    )
    add("--device", default="auto", help="cpu, cuda, …; default: a GPU where there is one")
    add("--force", action="store_true", default=False, help="replace the run folder if it exists")
    add("--resume", action="store_true", default=False, help="go on with a run that was killed")
    run.set_defaults(function=_run)


def _add_datasets(commands: Any) -> None:
    datasets = commands.add_parser("datasets", help="list the data sets known by name")
    datasets.set_defaults(function=_list_datasets)


def _run(arguments: argparse.Namespace) -> int:
    said = {k: v for k, v in vars(arguments).items() if k in RunConfig.__dataclass_fields__}
    earlier: dict[str, Any] = {}
    fingerprint = None
    if hasattr(arguments, "config"):
        content = read_config(arguments.config)
        earlier = content["arguments"]
        fingerprint = content["fingerprint"] if "dataset" not in said else None
    config = RunConfig.from_json(earlier | said)
    out = getattr(arguments, "out", None) or free_folder(config.dataset, config.seed)

    from ae_cluster.runs import run  # loads torch: only now

    rows = run(
        config,
        out,
        data_home=arguments.data_home,
        download=arguments.download,
        device=arguments.device,
        force=arguments.force,
        resume=arguments.resume,
        figures=arguments.figures,
        expected_fingerprint=fingerprint,
        verbose=True,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(_report(rows, out), flush=True)
    return 0 if (rows.loc[rows["budget"].isna(), "status"] == "ok").any() else 1


def _list_datasets(_: argparse.Namespace) -> None:
    from ae_cluster.datasets import known_datasets

    print("\n".join(known_datasets()))


def _report(rows: pd.DataFrame, out: Path) -> str:
    from ae_cluster.tables import run_report

    return run_report(rows, out)


def _whole(least: int) -> Any:
    def parse(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number of at least {least}; give one."
            )
        return int(text)

    return parse


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return parse_sizes(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as a sentence: file and line say nothing to who did not write them."""
    print(f"note: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
