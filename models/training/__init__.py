"""Training: data, losses, schedules, checkpoints. Unlike the modules it may read files."""
