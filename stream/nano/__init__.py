"""Nano, our own small voice: text to sound, and one voice to another."""
