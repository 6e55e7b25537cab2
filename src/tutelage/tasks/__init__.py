"""Tasks: what is predicted of each unit, how outputs and targets become units, and how predictions are scored.

A task is rebuilt from its name and the names of its classes: ``TASKS["tagging"].of(["O", "B-PER", "I-PER"])``.
"""

from tutelage.tasks.classification import ACCURACY, Classification, Task
from tutelage.tasks.segmentation import Segmentation
from tutelage.tasks.tagging import Tagging, tag_names

TASKS: dict[str, type[Classification]] = {task.name: task for task in (Classification, Tagging, Segmentation)}
"""The tasks by name."""

__all__ = ["ACCURACY", "TASKS", "Classification", "Segmentation", "Tagging", "Task", "tag_names"]
