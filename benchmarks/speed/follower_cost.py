"""What each follower costs: time of a DRIFT step over a Mean Teacher step, in turn, on the head of step_time.py.

python benchmarks/speed/follower_cost.py       writes benchmarks/results/follower_cost.json
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

from step_time import CLASSES, head_problem, ratio
from tutelage.game import Ahead, Ema, Implicit, Response, Unrolled
from tutelage.methods import Drift, MeanTeacher, Method
from tutelage.tasks import Classification
from tutelage.train import Training, train

OUT = Path(__file__).parents[1] / "results" / "follower_cost.json"
FOLLOWERS: dict[str, Response] = {
    "moving average, closed form": Ema(0.9),
    "2 steps of the leader ahead": Ahead(2, 0.1, 0.9),
    "4 steps of the leader ahead": Ahead(4, 0.1, 0.9),
    "1 unrolled gradient step": Unrolled(1, 0.5),
    "3 unrolled gradient steps": Unrolled(3, 0.5),
    "implicit, conjugate gradients, 5 products": Implicit(1, 0.5, "cg", 5, 0.1),
    "implicit, Neumann, 5 terms": Implicit(1, 0.5, "neumann", 5, 0.1),
}


def main() -> None:
    warnings.simplefilter("ignore")
    network, loader = head_problem()
    training = Training(steps=40, lr=3e-3, records=1)

    def run(method: Method) -> None:
        train(method, Classification(CLASSES), network, loader, training)

    found = {}
    for name, response in FOLLOWERS.items():
        found[name] = ratio(lambda r=response: run(Drift(response=r)), lambda: run(MeanTeacher()), blocks=9)
        print(name, found[name], flush=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
