"""Neighbours, and what is computed on them; pure, no torch."""
