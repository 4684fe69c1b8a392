"""Scorers: one number from one text, one small file each, listed in `SCORERS`."""
