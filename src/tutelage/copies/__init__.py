"""Copies: which items are equal, or nearly equal, to others, whatever the items are."""

from tutelage.copies.exact import groups_of, joined_groups, keys_of_bytes
from tutelage.copies.prints import Keys, Prints

__all__ = ["Keys", "Prints", "groups_of", "joined_groups", "keys_of_bytes"]
