"""Depth studies of residual networks for materials properties, distributed with Ray."""

__version__ = "0.1.0"
