#!/bin/sh
# Runs one Blender with a window inside a chroot; called by tools/gui/run.py in a mount namespace
# of its own, so that whatever is mounted here is gone when this ends.
# inside.sh CHROOT WIDTHxHEIGHT BOUND_FOLDER... -- COMMAND...
set -eu
root=$1
size=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    shift
done
shift
cp /etc/resolv.conf "$root/etc/resolv.conf"
trusted=/etc/ssl/certs/ca-certificates.crt
[ ! -e $trusted ] || cp $trusted "$root$trusted"
# shellcheck disable=SC2016 # expanded inside
exec chroot "$root" /bin/sh -c '
    size=$1
    shift
    if [ "$size" != none ]; then
        # Xvfb names a free display itself, so that several windows can be tested at once.
        Xvfb -displayfd 3 -screen 0 "${size}x24" -nolisten tcp 3>/tmp/display 2>/tmp/xvfb.log &
        server=$!
        tries=0
        while [ ! -s /tmp/display ] && [ $tries -lt 100 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
        DISPLAY=:$(cat /tmp/display)
        export DISPLAY
        openbox >/dev/null 2>&1 &
        manager=$!
    fi
    cd /tmp
    code=0
    "$@" || code=$?
    if [ "$size" != none ]; then kill $manager $server 2>/dev/null || true; fi
    exit $code
' sh "$size" "$@"
