"""Where a run is put: OUT.partial while it is being made, then OUT; only what is ours is replaced.

While the files of a finished run take the places of an earlier one's, the
config.json there says so and lists both; a command that was killed then is
ended by the same command with ``--resume``.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ae_cluster.common import write_lock
from ae_cluster.common.bounded_files import read_json_object
from ae_cluster.common.errors import InputError
from ae_cluster.common.files import make_folder, refuse_existing, refuse_others, written_beside
from ae_cluster.common.own_files import (
    drop_files,
    files_in,
    move_files,
    present,
    standing_in_the_way,
    temporaries_in,
    told,
)
from ae_cluster.common.write_lock import CHECKPOINT, LAYOUT, MARK, PAGE, claimed
from ae_cluster.explorer.html import is_page
from ae_cluster.methods import DEFAULTS
from ae_cluster.records.classifiers import classifier_files
from ae_cluster.records.clusterers import FILES as CLUSTERER_FILES
from ae_cluster.records.config import FORMAT_VERSION, differing, read_config

CONFIG = "config.json"
LEARNT = "learnt.json"  # beside a model that a run which was killed had finished
LABELS = "labels"  # a user's, by `ae_cluster.runs.label`
_TOPS = {CONFIG, "scores.csv", "clusters.csv", PAGE, "figures", "methods"}
_GOES_ON = (
    "what was learnt is kept, and the same command with --resume (resume=True) goes on from there"
)


_NO_WRITING = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.EIO),
}


def partial_of(out: Path) -> Path:
    """Return where a run is made before it is put in its place."""
    return out.with_name(f"{out.name}.partial")


def files_of_run(folder: Path) -> set[str]:
    """Return the names of the files that a run wrote into its folder; none if it is not a run's."""
    if CONFIG not in present(folder, [CONFIG]):
        return set()
    try:
        content: dict[str, Any] = _replacing(folder) or read_config(folder / CONFIG)
    except InputError:
        return set()
    listed = content.get("files")
    names = {name for name in listed if _is_name(name)} if isinstance(listed, list) else set()
    if not names:  # of a version that listed nothing
        methods = content.get("methods", DEFAULTS)
        names = set(_laid_out(files_in(folder), list(methods) if methods else ()))
    names |= {CONFIG} | temporaries_in(folder) | ({MARK} if claimed(folder) is not None else set())
    names |= {PAGE} | classifier_files(folder)
    if not is_page(folder / PAGE):  # somebody's own page of that name
        names.discard(PAGE)
    return present(folder, names)


def _is_begun(out: Path) -> bool:
    """Return whether a command was killed when it had made OUT, and nothing in it yet."""
    return out.is_dir() and not out.is_symlink() and set(files_in(out)) == temporaries_in(out)


def _ours(out: Path) -> set[str]:
    """Return the names of the files at OUT that may be replaced."""
    return temporaries_in(out) if _is_begun(out) else files_of_run(out)


def _is_name(name: object) -> bool:
    if not isinstance(name, str):
        return False
    parts = name.split("/")
    return parts[0] in _TOPS and not {"", ".", ".."} & set(parts)


def _laid_out(names: Collection[str], methods: Collection[str]) -> list[str]:
    """Return those of the names that a run by these methods gives its files."""
    matches = {name: match for name in names if (match := LAYOUT.fullmatch(name))}
    return [
        name
        for name, match in matches.items()
        if (match["drawn"] or match["kept"] or "") in {"", *methods}
    ]


# Before anything is done


def check_place(
    out: Path, methods: Collection[str], *, force: bool, resume: bool, figures: bool
) -> None:
    """Raise unless a run can be put at ``out`` without touching what is not ours.

    Parameters
    ----------
    out : Path
    methods : collection of str
        The folders under methods/ that will be written.
    force, resume, figures
        As in `ae_cluster.runs.run.run`.
    """
    if not out.name:
        raise InputError(f"{out} cannot be the folder of a run; name one in it.")
    is_there = os.path.lexists(out)  # not so where its name is too long for any file
    ours = _ours(out) if is_there else set()
    if not (resume and is_there and (ours or _is_begun(out))):
        refuse_existing(out, force)
    refuse_others(out, ours)
    if force:
        _refuse_unwritable(out, ours)
    names = [CONFIG, "scores.csv", "clusters.csv", PAGE]
    names += [f"methods/{name}/codes.npz" for name in methods]
    names += [f"methods/{name}/{file}" for name in methods for file in CLUSTERER_FILES]
    names += [*_laid_out(files_in(out), methods), "figures/tiles.png"]
    names = [name for name in names if figures or not name.startswith("figures/")]
    if blocks := standing_in_the_way(out, names, ours):
        raise _blocked(out, blocks)
    if not (resume and ours):  # it may be finished already, and nothing be made
        check_partial(partial_of(out), force=force, resume=resume)


def is_free(partial: Path) -> bool:
    """Return whether a run may be made at OUT.partial: it is not there, or a folder of ours."""
    if not os.path.lexists(partial):
        return True
    is_folder = partial.is_dir() and not partial.is_symlink()
    return is_folder and (claimed(partial) is not None or not files_in(partial))


def check_partial(partial: Path, *, force: bool, resume: bool) -> None:
    """Raise unless a run can be made at OUT.partial: nothing else is there, or what goes on."""
    if not os.path.lexists(partial):
        return
    if partial.is_symlink() or not partial.is_dir():
        raise InputError(f"{partial} is a file or a link and not a folder; move it away.")
    if not is_free(partial):
        raise InputError(
            f"{partial} is where the run would be made, and it is not of one (it holds "
            f"{told(files_in(partial))}); move it away, or choose another place."
        )
    if can_go_on(partial) and not resume and not force:
        raise InputError(
            f"{partial} holds a run that was interrupted; go on with it with --resume "
            "(resume=True), or start anew with --force (force=True)."
        )


def _refuse_unwritable(out: Path, ours: Collection[str]) -> None:
    """Raise when a folder whose files are to be replaced may not be written to."""
    folders = {out, *((out / name).parent for name in ours)} if out.is_dir() else set()
    for folder in sorted(folders):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(
                f"{folder} cannot be written to, so nothing in it can be replaced; make it "
                "writable, or choose another place."
            )


def _blocked(out: Path, blocks: Collection[str]) -> InputError:
    return InputError(
        f"{out} holds {told(blocks)}, which is not listed among the run's files and stands where "
        "one of them belongs; move that away, or choose another place."
    )


# While it is being made


def can_go_on(partial: Path) -> bool:
    """Return whether there is anything at OUT.partial that ``--resume`` goes on with."""
    return bool(_learnt(partial)) or finished(partial) is not None


def finished(partial: Path) -> str | None:
    """Return the run that is whole and has still to be moved to its place, or None."""
    is_there = CONFIG in present(partial, [CONFIG])  # the last file that goes
    return write_lock.finished(partial) if is_there else None


def _learnt(partial: Path) -> dict[str, int]:
    """Return the files that hold what was learnt, and when each was written."""
    names = present(partial, claimed(partial) or ())
    return {
        name: (partial / name).stat().st_mtime_ns
        for name in names
        if Path(name).name in (CHECKPOINT, LEARNT)
    }


@contextmanager
def made_in(partial: Path, resume: bool) -> Iterator[None]:
    """Make the folder to fill; what is learnt in it stays there, whatever happens.

    Raises
    ------
    InputError
        In place of an error by which a file could not be written; it says how to go on.
    KeyboardInterrupt
        With words on how to go on, if there is anything to go on with.
    """
    made = [folder for folder in (partial, *partial.parents) if not folder.exists()]
    try:
        make_folder(partial)
        with write_lock.locked(partial), _kept_safe(partial):
            write_lock.begin(partial)
            if not resume:
                drop_files(partial, (claimed(partial) or set()) | temporaries_in(partial))
            yield
    finally:
        for folder in made:
            with suppress(OSError):  # it is not empty, as it should be
                folder.rmdir()


@contextmanager
def _kept_safe(partial: Path) -> Iterator[None]:
    before = _learnt(partial)
    try:
        yield
    except BaseException as error:
        if is_lost := not can_go_on(partial):
            _undo(partial)
        is_new = _learnt(partial) != before or finished(partial) is not None
        told_as = _with_way_on(error, partial, "" if is_lost else _GOES_ON, is_new)
        if told_as is error:
            raise
        raise told_as from error


def _undo(partial: Path) -> None:
    write_lock.drop_all(partial)
    with suppress(OSError):  # somebody else put something there
        partial.rmdir()


def _with_way_on(error: BaseException, partial: Path, way_on: str, is_new: bool) -> BaseException:
    """Return what to raise for an error, with how to go on where that helps."""
    if isinstance(error, OSError) and error.errno in _NO_WRITING:
        what = error.filename or partial
        reason = f"{what} cannot be written ({error.strerror})"
        return InputError(f"{reason}; {way_on or 'make room, or choose another place'}.")
    if not way_on:
        return error
    if isinstance(error, KeyboardInterrupt):
        return KeyboardInterrupt("the same command with --resume goes on")
    if isinstance(error, InputError) and (is_new or isinstance(error.__cause__, OSError)):
        return InputError(f"{str(error).rstrip('.')}; {way_on}.")
    return error


def keep_only(partial: Path, methods: Collection[str]) -> None:
    """Remove what an earlier command left, except its checkpoint and these pipelines' models."""
    names = present(partial, claimed(partial) or ())
    learnt = {name for name in methods if f"methods/{name}/{LEARNT}" in names}
    pattern = re.compile(rf"methods/([^/]+)/({re.escape(LEARNT)}|model/.*)")
    kept = {name for name in names if (match := pattern.fullmatch(name)) and match[1] in learnt} | {
        CHECKPOINT
    }
    drop_files(partial, (names - kept) | temporaries_in(partial))


def finish(partial: Path, run_id: str) -> None:
    """List the files of a run that is whole, and remove what only a killed one needs."""
    names = present(partial, claimed(partial) or ())
    scaffolding = {name for name in names if Path(name).name in (CHECKPOINT, LEARNT)}
    content = read_json_object(partial / CONFIG)
    _write_json(partial / CONFIG, content | {"files": sorted(names - scaffolding)})
    write_lock.set_finished(partial, run_id)
    drop_files(partial, scaffolding | temporaries_in(partial))


# When it is whole


def put_run_in_place(partial: Path, out: Path, force: bool) -> list[str]:
    """Move a finished run to its place; return what is there and not of the run.

    Raises
    ------
    InputError
        When something else is there that may not be replaced; nothing is changed then.
    """
    names = present(partial, claimed(partial) or ())
    is_alone = not os.path.lexists(out) and set(files_in(partial)) == names | {MARK}
    if is_alone and os.name != "nt":  # there, the mark is open and cannot move
        partial.rename(out)
        return []
    if not _replacing(out) and not _is_begun(out):
        refuse_existing(out, force)
    old = _ours(out)
    if out.exists():
        refuse_others(out, old)
    if blocks := standing_in_the_way(out, names, old):
        raise _blocked(out, blocks)
    make_folder(out)
    stub = {"format_version": FORMAT_VERSION, "replaced_by": partial.name}
    _write_json(out / CONFIG, stub | {"files": sorted(old | names)})
    move_files(partial, names - {CONFIG}, out)
    drop_files(out, old - set(_listed(partial)))
    move_files(partial, {CONFIG}, out)
    return sorted(set(files_in(out)) - files_of_run(out))


def tidy(partial: Path, out: Path) -> list[str]:
    """Remove the mark of a run that is in its place; return what is not ours and stays behind."""
    drop_files(out, [MARK])
    if not partial.is_dir():
        return []
    _undo(partial)
    return files_in(partial) if partial.is_dir() else []


def _listed(partial: Path) -> list[str]:
    content = read_json_object(partial / CONFIG)
    return [str(name) for name in content["files"]]


def _replacing(folder: Path) -> dict[str, Any] | None:
    """Return the config.json of a run whose replacement was cut off; None where none was."""
    try:
        content = read_json_object(folder / CONFIG)
    except (OSError, InputError):
        return None
    return content if content.get("replaced_by") == partial_of(folder).name else None


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with written_beside(path) as beside:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        beside.write_text(text + "\n", encoding="utf-8")


# A run that is there already


def is_finished(out: Path, arguments: dict[str, Any], fingerprint: str, *, force: bool) -> bool:
    """Return whether ``out`` is the finished run of these arguments on these data.

    Raises
    ------
    InputError
        When it is a run of others, which only ``force`` lets be replaced.
    """
    if not files_of_run(out) or _replacing(out):
        return False
    content = read_config(out / CONFIG)
    others = differing(content["arguments"], arguments)
    is_other = bool(others) or content["fingerprint"] != fingerprint
    if is_other and not force:
        what = told([f"--{name.replace('_', '-')}" for name in others]) or "the data"
        raise InputError(
            f"{out} is a finished run of another configuration ({what} differ); choose another "
            "place, or replace it with --force (force=True)."
        )
    return not is_other


def refuse_labels_of_others(out: Path, name: str, n_samples: int, n_features: int) -> None:
    """Raise when labels were given to an earlier run's samples, and those of now are others."""
    if not files_of_run(out) or _replacing(out) or not (out / LABELS).is_dir():
        return
    there = read_config(out / CONFIG)["data"]
    before = there.get("name"), there.get("n_train", 0) + there.get("n_test", 0)
    labels = [f"{LABELS}/{label}" for label in files_in(out / LABELS)]
    if labels and (*before, there.get("n_features")) != (name, n_samples, n_features):
        raise InputError(
            f"{out} holds labels of other data ({told(labels)}), which would be taken for those "
            "of the new; move them away, or choose another place."
        )
