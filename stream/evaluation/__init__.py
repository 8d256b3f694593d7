"""Evaluation: how well a voice model speaks, measured the same way for every system.

held_out.py    what is said: sentences that no training ever sees
systems.py     who says it: a bundle, or another synthesizer to compare with
dnsmos.py      how clean it sounds
measures.py    all measures of one utterance
report.py      their summary, with confidence intervals
"""
