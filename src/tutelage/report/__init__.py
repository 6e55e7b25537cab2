"""What a run leaves for people: records, plots, one self-contained HTML page."""
