"""One script per claim: ``python -m experiments.NAME``."""

from ae_cluster.common.global_state import wait_without_spinning

wait_without_spinning()
