"""Torch modules with explicit state."""
