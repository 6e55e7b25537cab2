"""Audit of labels: wrong labels are found, shown, and corrected."""

from tutelage.audit.ranking import Audit, find_label_errors

__all__ = ["Audit", "find_label_errors"]
