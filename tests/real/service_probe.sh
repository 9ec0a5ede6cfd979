#!/bin/bash
# In the agent's sandbox: what it needs and what it must not be able to do, told in can and cannot.
said() { if output=$("$@" 2>&1); then echo "$*"; else echo "$*: $output" >&2; fi; }
tried() { said "$@" >>/run/probe/can 2>>/run/probe/cannot; }
rm -f /run/probe/can /run/probe/cannot

tried cibadmin --query
tried cibadmin --modify --scope nodes -X '<nodes><node id="1" uname="vm-node1"/></nodes>'
tried crm_mon --output-as=xml -1
tried attrd_updater -n probe -U 1
tried corosync-cmapctl -m stats
tried corosync-cfgtool -s
tried sh -c 'corosync-quorumtool -p; test $? -le 2'
tried sh -c 'cibadmin --query >/tmp/cib.xml && crm_simulate --run --xml-file /tmp/cib.xml --save-output /tmp/out.xml'
tried sh -c 'crm_verify --xml-file /tmp/cib.xml'
tried sh -c 'printf "address add 10.9.9.9/32 dev bond0\naddress del 10.9.9.9/32 dev bond0\n" | ip -batch -'
tried sh -c 'echo 1 >/var/lib/reconciler/probe && rm /var/lib/reconciler/probe'
tried chrt --other 0 true
tried systemd-run --quiet --wait /bin/true

tried touch /etc/reconciler/desired.d/probe.toml
tried touch /etc/probe
tried touch /usr/probe
tried touch /var/lib/pacemaker/cib/probe
tried sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
tried unshare --net true
tried mount -t tmpfs probe /mnt
tried chrt --rr 2 true
tried chown nobody /tmp/cib.xml
