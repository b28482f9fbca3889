"""Labels and clusters to numbers; pure functions."""
