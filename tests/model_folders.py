"""The description of a saved model, read and forged."""

import json

from ae_cluster.autoencoder import saving
from ae_cluster.autoencoder.saving import DESCRIPTION, WEIGHTS


def described(folder):
    return json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))


def describe(folder, checksum=True, **changes):
    """Edit a model folder's description; with a checksum that fits, as only an attacker would."""
    content = described(folder) | changes
    if checksum:
        content.pop("checksum")
        weights = (folder / WEIGHTS).read_bytes()
        content["checksum"] = saving.checksum(content, weights)
    (folder / DESCRIPTION).write_text(json.dumps(content), encoding="utf-8")
