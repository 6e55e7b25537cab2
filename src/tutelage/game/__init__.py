"""The game: players, the follower's responses, and the rules that decide which gradient flows."""

from tutelage.game.player import Loss, Player, Seats
from tutelage.game.responses import Ahead, Copy, Ema, Frozen, Implicit, Reply, Response, Unrolled
from tutelage.game.rules import Alternating, Move, Rule, Simultaneous, Stackelberg

__all__ = [
    "Ahead", "Alternating", "Copy", "Ema", "Frozen", "Implicit", "Loss", "Move", "Player", "Reply", "Response", "Rule",
    "Seats", "Simultaneous", "Stackelberg", "Unrolled",
]  # fmt: skip
