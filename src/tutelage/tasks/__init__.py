"""What one prediction is about."""

from tutelage.tasks.classification import Classification, Task

__all__ = ["Classification", "Task"]
