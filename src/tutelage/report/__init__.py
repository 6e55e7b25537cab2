"""The report of a run: its records, its plots, and one self-contained HTML page."""
