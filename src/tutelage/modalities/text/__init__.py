"""Texts: their tables, their features, and the networks that are trained on them."""
