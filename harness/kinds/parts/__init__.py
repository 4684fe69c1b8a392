"""What the task kinds share: the shape of a scenario, its rows, and how answers are read."""
