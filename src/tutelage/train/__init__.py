"""Training: the only loop, what a run of it holds, and what a trained network says."""

from tutelage.train.cohort import Member, cohorts, train_together
from tutelage.train.loop import Networks, Training, train
from tutelage.train.prediction import predict, predictions
from tutelage.train.run import Run
from tutelage.train.timing import TrainingTime, ready_to_train, time_a_step, time_a_training

ENGINE = 1
"""Version of the loop, the games and the losses; raised by hand when a change of them alters results of trainings."""

__all__ = [
    "ENGINE", "Member", "Networks", "Run", "Training", "TrainingTime", "cohorts", "predict", "predictions",
    "ready_to_train", "time_a_step", "time_a_training", "train", "train_together",
]  # fmt: skip
