"""Data sets: named ones and a user's own files, as flat arrays with labels, ids and a fingerprint.

Reading order: ``loading`` (a name or a path) → ``named`` (with ``fetching`` and ``idx``)
or ``user_files`` (with ``arrays``; of tables ``tables``, ``preparation`` and a file per format)
→ ``dataset`` (what both give); ``streaming`` reads what is too large in parts.
"""

from ae_cluster.datasets.dataset import Dataset
from ae_cluster.datasets.loading import known_datasets, load_dataset

__all__ = ["Dataset", "known_datasets", "load_dataset"]
