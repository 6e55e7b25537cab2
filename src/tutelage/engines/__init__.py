"""Engines that do one piece of work after the other: in this process, in several, or on the machines of Ray.

An engine knows nothing of what the work is. It gives the results in the order of the tasks, holds few of them at a
time, and does a task again whose process was killed.
"""

from tutelage.engines.base import AUTO as AUTO
from tutelage.engines.base import NAMES as NAMES
from tutelage.engines.base import USUAL as USUAL
from tutelage.engines.base import Engine as Engine
from tutelage.engines.base import One as One
from tutelage.engines.base import Wanted as Wanted
from tutelage.engines.base import WorkerError as WorkerError
from tutelage.engines.choice import chosen as chosen
from tutelage.engines.choice import named as named
from tutelage.engines.processes import Processes as Processes
