"""Training of an encoder itself, before a game is played on its features."""
