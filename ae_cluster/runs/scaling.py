"""Where a run says what became of the columns of its table."""

from __future__ import annotations

from typing import Any

from ae_cluster.common.scaling import ColumnScaling
from ae_cluster.common.table_options import AUTO, SCALINGS, STANDARD


def notes_on(scaling: ColumnScaling | None, asked: str, name: str) -> list[str]:
    """Return the sentence, if any, that a run on the data of a name says on the screen."""
    if scaling is not None:
        return [f"Scaling {scaling.kind} ({SCALINGS[scaling.kind]}): {scaling.why}."]
    if asked in (AUTO, STANDARD):  # what is usual, now or once
        return []
    return [f"note: --scaling {asked} is said, but {name} is taken as it is."]


def in_settings(scaling: ColumnScaling | None) -> dict[str, str]:
    """Return what the settings in config.json say of it."""
    return {} if scaling is None else {"scaling": scaling.kind, "scaling_why": scaling.why}


def in_id(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what of a run's arguments its id is of: all were standard before others were."""
    is_standard = arguments["scaling"] == STANDARD
    return {k: v for k, v in arguments.items() if k != "scaling" or not is_standard}
