"""Which network? Architectures, recipes, the training loop and the baselines; free of Ray."""
