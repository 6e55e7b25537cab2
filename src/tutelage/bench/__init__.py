"""Methods compared on equal terms: protocols, runs, tables."""
