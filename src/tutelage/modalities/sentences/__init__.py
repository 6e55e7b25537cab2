"""Sentences of words: their tables, features of each word, and the networks trained on them."""
