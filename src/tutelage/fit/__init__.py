"""One fit: the labels-only model, the candidate, and the evidence between them."""
