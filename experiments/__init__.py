"""One script per claim: ``python -m experiments.NAME``."""
