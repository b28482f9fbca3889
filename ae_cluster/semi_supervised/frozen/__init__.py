"""Classifiers on frozen codes."""
