"""From effects and a comparison, by a policy, to pass, fail or inconclusive."""
