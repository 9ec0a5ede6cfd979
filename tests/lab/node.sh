#!/bin/bash
# PID 1 of a node. Usage: node.sh LAB-DIRECTORY NODE, started in namespaces of its own inside those of the lab.
# Killing it is a power cut; starting it again is a boot. What the node writes under /etc and /var is on its disk
# (LAB/disks/NODE) and survives that; /run and /dev/shm do not.
set -eu
lab=$1 node=$2
seed=$lab/nodes/$node disk=$lab/disks/$node

read -r -a stat </proc/self/stat
echo "${stat[0]} ${stat[21]}" >"$seed/pid.new"
mv "$seed/pid.new" "$seed/pid"

hostname "$node"
mount --make-rprivate /

for tree in etc var; do
    mkdir -p "$disk/$tree" "$disk/$tree.work"
    mount -t overlay -o "lowerdir=/$tree,upperdir=$disk/$tree,workdir=$disk/$tree.work" overlay "/$tree"
done
# Nothing of a cluster that this machine may itself be part of shines through.
for tree in lib/pacemaker lib/corosync lib/reconciler; do
    mkdir -p "$disk/$tree" "/var/$tree"
    mount --bind "$disk/$tree" "/var/$tree"
done
# Logs are on the outside's disk, to be read there when the node is off.
mount --bind "$seed/log" /var/log

first_boot() {
    install -d -o hacluster -g haclient -m 0750 /var/lib/pacemaker/{cib,pengine,cores,blackbox}
    install -d /var/log/corosync /etc/corosync /etc/reconciler /var/www/html
    install -d -o hacluster -g haclient -m 0770 /var/log/pacemaker /var/log/crmsh
    install -d -g adm -m 0750 /var/log/apache2
    install -m 0644 "$lab/corosync.conf" /etc/corosync/corosync.conf
    install -m 0400 "$lab/authkey" /etc/corosync/authkey
    install -m 0644 "$lab/hosts" /etc/hosts
    echo "$node" >/etc/hostname
    echo "<html><body><h1>$node</h1></body></html>" >/var/www/html/index.html
    install -o hacluster -g haclient -m 0600 "$lab/cib.xml" /var/lib/pacemaker/cib/cib.xml
    touch "$disk/installed"
}
[ -e "$disk/installed" ] || first_boot

mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t proc proc /proc
mount -t sysfs sysfs /sys
# Pacemaker panics by writing here, and that would reset the machine the lab runs on.
[ ! -e /proc/sysrq-trigger ] || mount --bind /dev/null /proc/sysrq-trigger
install -d -m 1777 /run/lock
install -d -m 1755 /run/resource-agents
install -d -o hacluster -g haclient -m 0750 /run/crm
install -d -o www-data -g www-data /run/apache2 /run/lock/apache2
install -d -m 0700 /run/home /run/reconciler

[ ! -e "$seed/apache-gone" ] || mount --bind /dev/null /usr/sbin/apache2

touch "$seed/mounted"

# The cables are put in from outside, as soon as the id above is known there.
until ip -batch "$seed/boot.batch" >/dev/null 2>&1; do sleep 0.02; done

. "$(dirname "$0")/start-cluster.sh"
while :; do
    sleep infinity &
    wait $!
done
