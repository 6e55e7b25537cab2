"""Rows of numbers, in tables and arrays."""
