"""Listening: voice activity, ends of turns, and speech recognition."""
