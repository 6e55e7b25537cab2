"""Sentences of words: their tables, the words' features, and the networks that are trained on them."""
