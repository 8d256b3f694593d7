"""The conversation core: events in, commands and notices out; no I/O, time in samples."""
