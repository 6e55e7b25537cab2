"""Likely wrong labels: found, shown, and set right."""

from tutelage.audit.ranking import Audit, find_label_errors

__all__ = ["Audit", "find_label_errors"]
