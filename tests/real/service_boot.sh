#!/bin/bash
# Boots systemd on a throwaway copy of this machine's root, with corosync, pacemaker and the agent as services, and
# runs service_story.sh there. Ends when that has powered it off.
# service_boot.sh DIRECTORY PYTHON SITE_PACKAGES: the directory has the group's name and becomes /share.
set -euo pipefail
share=$1 python=$2 packages=$3
source=$(realpath "$(dirname "$0")/../..")

mount --make-rprivate /
mkdir -p "$share/overlay"
mount -t tmpfs overlay "$share/overlay"
mkdir "$share"/overlay/{upper,work,root}
root=$share/overlay/root
mount -t overlay -o "lowerdir=/,upperdir=$share/overlay/upper,workdir=$share/overlay/work" overlay "$root"

units=$root/etc/systemd/system
rm -rf "$units" "$root"/etc/reconciler "$root"/var/lib/{reconciler,corosync,pacemaker/cib,pacemaker/pengine}/*
rm -rf "$root"/etc/corosync/{corosync.conf,authkey,uidgid.d}
mkdir -p "$units/story.target.wants" "$units/reconciler.service.d" "$root"/etc/reconciler/desired.d "$root"/opt/reconciler/bin
echo vm-node1 >"$root/etc/hostname"

cat >"$root/etc/corosync/corosync.conf" <<'END'
totem {
    version: 2
    cluster_name: story
    transport: knet
    crypto_cipher: none
    crypto_hash: none
}
nodelist {
    node {
        name: vm-node1
        nodeid: 1
        ring0_addr: 10.20.13.1
    }
}
quorum {
    provider: corosync_votequorum
    expected_votes: 1
}
END

cat >"$root/opt/reconciler/bin/reconciler" <<END
#!/bin/sh
export PYTHONPATH=/source:/packages
exec $python -m reconciler "\$@"
END
chmod 755 "$root/opt/reconciler/bin/reconciler"

cp "$source/packaging/reconciler.service" "$units/"
# Short enough for the story to end if the agent forgot to report; the agent has to keep it alive.
printf '[Service]\nWatchdogSec=10s\nRestartSec=1s\n' >"$units/reconciler.service.d/watchdog.conf"
# The same sandbox around commands of the story's choice.
sed -e 's|^ExecStart=.*|ExecStart=/source/tests/real/service_probe.sh|' -e 's|^Type=.*|Type=oneshot|' \
    -e 's|^RuntimeDirectory=.*|RuntimeDirectory=probe\nRuntimeDirectoryPreserve=yes|' -e '/^Restart=/d' -e '/^WatchdogSec=/d' -e '/^NotifyAccess=/d' "$source/packaging/reconciler.service" >"$units/probe.service"

cat >"$units/links.service" <<'END'
[Unit]
Before=network.target corosync.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -ec 'for n in 0 1; do ip link add bond$n type veth peer name port$n; ip link set port$n up; ip link set bond$n up; done'
ExecStart=/bin/sh -ec 'ip link set lo up; ip address add 10.20.13.1/30 dev bond0'
END
cat >"$units/story.service" <<'END'
[Service]
Type=oneshot
ExecStart=-/source/tests/real/service_story.sh
ExecStopPost=/bin/systemctl poweroff --no-block
TimeoutStartSec=150s
END
cat >"$units/story.target" <<'END'
[Unit]
Requires=basic.target
After=basic.target
END
ln -s story.target "$units/default.target"
for unit in links reconciler story; do ln -s "../$unit.service" "$units/story.target.wants/"; done
for unit in corosync pacemaker dbus; do ln -s "/lib/systemd/system/$unit.service" "$units/story.target.wants/"; done

exec systemd-nspawn --quiet --directory="$root" --machine="$(basename "$share")" --hostname=vm-node1 --register=no --keep-unit \
    --private-network --link-journal=no --console=pipe --boot \
    --bind="$share/told:/share" --bind-ro="$source:/source" --bind-ro="$packages:/packages"
