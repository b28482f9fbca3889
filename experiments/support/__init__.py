"""What the experiments share; no script of its own."""
