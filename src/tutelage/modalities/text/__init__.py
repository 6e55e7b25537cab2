"""Texts: their tables, encoders' features, and the networks trained on them."""
