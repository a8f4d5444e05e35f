"""Depot tools: read scan logs, track and price parcels, plan routes, report."""

__version__ = "0.4.0"
