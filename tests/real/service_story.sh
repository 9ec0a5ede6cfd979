#!/bin/bash
# What is tried with the agent as a service; what comes of it is told in /share, one file for each question.
tell() { local name=$1; shift; "$@" >"/share/$name" 2>&1; echo $? >"/share/$name.code"; }
state() { systemctl show --property=ActiveState,SubState,NRestarts "$1"; }

cat >/etc/reconciler/desired.d/all.toml <<'END'
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "List"

[[items]]
kind = "ClusterProperties"
metadata.name = "cib-bootstrap-options"
spec.properties = { stonith-enabled = false }

[[items]]
kind = "Primitive"
metadata.name = "nothing"
spec.agent = "ocf:pacemaker:Dummy"

[[items]]
kind = "NodeNetwork"
metadata.name = "vm-node1"
spec.node = "vm-node1"
spec.links = [{ name = "bond1", addresses = ["192.168.1.61/24"], mtu = 1400 }]
spec.routes = [{ to = "default", via = "192.168.1.1", dev = "bond1" }]
END
systemctl start reconciler
systemctl start corosync pacemaker
for _ in {1..300}; do
    cibadmin --query 2>/dev/null | grep -q 'id="nothing"' && break
    sleep 0.2
done
tell in-cluster cibadmin --query --xpath '//primitive[@id="nothing"]'
tell link ip -json address show dev bond1
tell route ip -json route show default
tell reload systemctl reload reconciler
tell probe systemctl start probe
cp /run/probe/can /run/probe/cannot /share/
tell get /opt/reconciler/bin/reconciler get
tell as-nobody setpriv --reuid=65534 --regid=65534 --clear-groups cat /run/reconciler/status.json

systemctl stop pacemaker corosync
tell without-cluster state reconciler
tell restart-without-cluster systemctl restart reconciler
tell corosync-after-restart state corosync
sleep 12 # longer than its watchdog
tell fed state reconciler

systemctl kill --signal=KILL --kill-whom=main reconciler
for _ in {1..100}; do
    systemctl show --property=NRestarts reconciler | grep -q '=1' && systemctl is-active --quiet reconciler && break
    sleep 0.1
done
tell killed state reconciler
tell stop systemctl stop reconciler
tell stopped state reconciler
tell log journalctl --no-pager --output=cat --unit=reconciler --unit=probe
