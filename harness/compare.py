"""Versions side by side: the paired change of every effect, and the sets that changed most."""
