"""Sound: samples as values, files, sound cards, and the ways between sample rates."""
