"""Pure functions on tensors: labels and their weights, losses, thresholds, mixes of examples, views of images."""
