"""The game: players, the follower's responses, and the rules that decide which gradient flows."""

from tutelage.game.parts import Parted
from tutelage.game.player import Equipped, Loss, Player, Seats, width_of
from tutelage.game.responses import Ahead, Implicit, Unrolled
from tutelage.game.rules import (
    Alternating,
    Copy,
    Ema,
    Frozen,
    Move,
    Reply,
    Response,
    Rule,
    Simultaneous,
    Stackelberg,
)  # fmt: skip
from tutelage.game.shared import Shared
from tutelage.game.ways import Called, Way

__all__ = [
    "Ahead", "Alternating", "Called", "Copy", "Ema", "Equipped", "Frozen", "Implicit", "Loss", "Move", "Parted",
    "Player", "Reply", "Response", "Rule", "Seats", "Shared", "Simultaneous", "Stackelberg", "Unrolled", "Way",
    "width_of",
]  # fmt: skip
