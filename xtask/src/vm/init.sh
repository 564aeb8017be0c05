#!/usr/bin/busybox sh
# Process 1 of the virtual machine: mounts what Linux needs, does what the kernel's command line
# asks for, and turns the machine off. Results go to the second serial port, where neither the
# kernel nor a program under test writes.
# This shell takes busybox's own programs before those on PATH; iproute2 is called by its path.

export PATH=/usr/sbin:/usr/bin HOME=/root TERM=linux LANG=C.UTF-8 NO_COLOR=1
export NETWRIGHT_BIN=/usr/bin/netwright NETWRIGHT_COMPLETE_KERNEL=1
export NETWRIGHT_TEST_CACHE=/var/tmp XDG_CACHE_HOME=/var/tmp
results=/dev/ttyS1

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
# Not mounted over: the workspace may be below it.
chmod 1777 /tmp
# Without it every line end would come out as two characters.
stty -F $results raw
/sbin/ip link set lo up
# As soon as a tunnel's module is loaded, every namespace would have a link of that kind.
echo 1 > /proc/sys/net/core/fb_tunnels_only_for_init_net
# What opens the device loads the module, but nothing here makes the device.
modprobe tun

# Two steps at a time, as there are processors: some of them are one long trial.
tests() {
    echo booted > $results
    export results
    ls /tests/*.plan | xargs -P 2 -n 1 /tests/step
    # What the kernel had to say while it was busy.
    [ ! -e /tests/failed ] || dmesg | tail -n 50
    echo done > $results
}

shell() {
    cd /scenarios || cd /
    setsid cttyhack /bin/bash
}

# One of two machines with a cable between them; what is made is made on the machine itself.
node() {
    modprobe virtio_pci
    modprobe virtio_net
    until [ -e /sys/class/net/eth0 ]; do sleep 0.2; done
    /sbin/ip link set eth0 name enp0s5
    /sbin/ip link set enp0s5 up
    echo booted > $results
    netwright run "/nodes/$1.yaml" \
        --grant 'host.link.read' \
        --grant 'host.namespace name=c*' \
        --grant 'host.link.create kind=vlan name=enp0s5.200 parent=enp0s5 vlan=200' \
        --grant 'host.link.create kind=macvlan name=eth0 parent=enp0s5.200' \
        --grant 'host.address.add cidr=192.168.200.0/24 link=enp0s5.200,eth0' < /dev/null
    echo "node $?" > $results
    # Nothing is left of it.
    /sbin/ip -br link
    echo done > $results
}

case " $(cat /proc/cmdline) " in
    *" netwright=node1 "*) node node1 ;;
    *" netwright=node2 "*) node node2 ;;
    *" netwright=tests "*) tests ;;
    *" netwright=third "*) export NETWRIGHT_THIRD_KERNEL=1; tests ;;
    *" netwright=shell "*) shell ;;
esac
sync
poweroff -f
