"""The page of a run as something that a notebook shows."""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True, repr=False)
class NotebookPage:
    """A page that Jupyter shows in a frame of its own; it can reach neither notebook nor network.

    The browser's storage is closed to such a frame: export labels that are given in it.

    Attributes
    ----------
    html : str
        The whole page, as ``ae-cluster explore`` writes it.
    height : int
        Of the frame, in pixels.
    """

    html: str
    height: int = 900

    def __repr__(self) -> str:
        """Return how large it is."""
        return f"<page of {len(self.html) / 1e6:.1f} MB>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="ae_cluster explorer" sandbox="allow-scripts allow-downloads" '
            f'style="width: 100%; height: {self.height:d}px; border: 0" '
            f'srcdoc="{html.escape(self.html)}"></iframe>'
        )
