"""Benchmarks that compare methods on equal terms: protocols, runs, and tables."""
