"""The demo: the reference case from a git repository to a running service, and through all its faults.

`python -m tests.demo`. Everything in it is real: Corosync, Pacemaker, Apache, the agents, git, and a client who asks
for the page twenty times a second.
"""
