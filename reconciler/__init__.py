"""The reconciling operator for Corosync/Pacemaker clusters."""

__version__ = "0.1.0"
