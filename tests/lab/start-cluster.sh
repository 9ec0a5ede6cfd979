#!/bin/bash
# Start Corosync and Pacemaker on a node, in the order in which an init system would.
corosync -f >>/var/log/corosync/console.log 2>&1 &
until corosync-cfgtool -s >/dev/null 2>&1; do sleep 0.05; done
pacemakerd -f >>/var/log/pacemaker/console.log 2>&1 &
