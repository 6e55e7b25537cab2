"""Labelling in a browser: the journal of the answers, what is asked next, and the page that asks."""
