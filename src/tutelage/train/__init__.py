"""Training: the only loop, what a run of it holds, and what a trained network says."""

from tutelage.train.loop import train
from tutelage.train.options import Networks, Training
from tutelage.train.prediction import predict, predictions
from tutelage.train.run import Run
from tutelage.train.timing import time_a_step

ENGINE = 1
"""Version of the loop, the games and the losses; raised by hand when a change of them alters results of trainings."""

__all__ = ["ENGINE", "Networks", "Run", "Training", "predict", "predictions", "time_a_step", "train"]
