"""The explorer: one HTML file in which to walk through the codes of a run, without a network.

Reading order: ``run_arrays`` (what the run folder holds) → ``clouds`` (which samples are shown)
→ ``spaces``, ``decoders``, ``pictures`` (places, live decoder, images) → ``content`` (all of it
as JSON) → ``writing`` (the page). The page's own script lies in ``page/``.
"""

from ae_cluster.explorer.html import write_page

__all__ = ["write_page"]
