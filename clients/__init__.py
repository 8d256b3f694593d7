"""Programs on the other side of the wire; they know selftalk.stream.protocol and nothing else."""
