#!/usr/bin/busybox sh
# Process 1 of the virtual machine: mounts what Linux needs, does what the kernel's command line
# asks for, and turns the machine off. Results go to the second serial port, where neither the
# kernel nor a program under test writes.
# This shell takes busybox's own programs before those on PATH; iproute2 is called by its path.

export PATH=/usr/sbin:/usr/bin HOME=/root TERM=linux LANG=C.UTF-8
export NETWRIGHT_BIN=/usr/bin/netwright NETWRIGHT_COMPLETE_KERNEL=1
results=/dev/ttyS1

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
# Without it every line end would come out as two characters.
stty -F $results raw
/sbin/ip link set lo up
# What opens the device loads the module, but nothing here makes the device.
modprobe tun

tests() {
    failed=
    echo booted > $results
    for plan in /tests/*.plan; do
        set --
        while IFS= read -r word; do set -- "$@" "$word"; done < "$plan"
        echo "# $*"
        "$@" < /dev/null
        code=$?
        [ $code = 0 ] || failed=yes
        echo "$(basename "$plan" .plan) $code" > $results
    done
    # What the kernel had to say while it was busy.
    [ -z "$failed" ] || dmesg | tail -n 50
    echo done > $results
}

shell() {
    cd /scenarios || cd /
    setsid cttyhack /bin/bash
}

case " $(cat /proc/cmdline) " in
    *" netwright=tests "*) tests ;;
    *" netwright=shell "*) shell ;;
esac
sync
poweroff -f
