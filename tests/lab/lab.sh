#!/bin/bash
# PID 1 of a lab. Usage: lab.sh LAB-DIRECTORY, started by supervisor.py in PID, mount, network, IPC and UTS
# namespaces of its own. It is the switch (its network namespace), holds the disks of the nodes (a tmpfs) and the
# client beside the cluster. Nodes are nested inside it: when it dies, the kernel ends every process, mount and
# network of the lab.
set -eu
cd "$1"

# A process is named by its id outside and its start time, so that a number that is used again is not mistaken.
record='read -r -a stat </proc/self/stat; echo "${stat[0]} ${stat[21]}" >"$0.new"; mv "$0.new" "$0"'

mount -t tmpfs -o mode=0755 disks disks
ip link set lo up
unshare --net bash -c "$record; ip link set lo up; exec sleep infinity" "$1/client.pid" &
read -r -a stat </proc/self/stat
echo "${stat[0]} ${stat[21]}" >lab.pid.new
mv lab.pid.new lab.pid

# Orphans of the lab come here to be buried: bash does that whenever it waits.
while :; do
    sleep infinity &
    wait $!
done
