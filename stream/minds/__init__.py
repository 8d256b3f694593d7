"""Minds: whoever answers, from rules to language models, and what is taken out of their replies."""
