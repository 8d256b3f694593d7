"""Synthesis: what every voice model shares (bundles, voices, chunks, schedule, checks)."""
