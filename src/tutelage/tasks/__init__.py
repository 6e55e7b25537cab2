"""What one prediction is about."""

from tutelage.tasks.classification import Classification, Task
from tutelage.tasks.segmentation import Segmentation
from tutelage.tasks.tagging import Tagging, tag_names

__all__ = ["Classification", "Segmentation", "Tagging", "Task", "tag_names"]
