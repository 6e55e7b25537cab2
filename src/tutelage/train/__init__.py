"""Training: the only loop, what a run of it holds, and what a trained network says."""

from tutelage.train.loop import ENGINE, train
from tutelage.train.options import Networks, Training
from tutelage.train.predict import predict, predictions
from tutelage.train.run import Run
from tutelage.train.timing import time_a_step

__all__ = ["ENGINE", "Networks", "Run", "Training", "predict", "predictions", "time_a_step", "train"]
