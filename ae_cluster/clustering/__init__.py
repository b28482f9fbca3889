"""Codes, or samples, to clusters."""
