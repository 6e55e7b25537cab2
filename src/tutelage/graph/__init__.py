"""Neighbour graphs of rows of features, and what labels spread along them."""
