"""Data: settings, selves, weights, texts. No code."""
