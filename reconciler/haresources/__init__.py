"""Heartbeat's `haresources` -> a CIB that does the same with today's agents. Pure."""

from reconciler.haresources.configuration import read

__all__ = ["read"]
