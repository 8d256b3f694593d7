"""From torch models and foreign checkpoints to bundles; joins models and stream."""
