"""Pure functions on tensors: labels, weights, losses, thresholds, schedules."""
