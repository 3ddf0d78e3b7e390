"""Simulated worlds for a robot: a household (pybullet, no display, no GPU) and adapters for others.

The perception source in all of them is the simulator's own object numbers, not a recogniser: what a robot remembers
here is as sure as that. See `environment.py` for what an adapter must give.
"""
