"""Rows of numbers, from tables and arrays."""
