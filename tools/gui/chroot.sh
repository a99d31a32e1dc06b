#!/bin/sh
# Puts a Blender with a window into a folder: a small Debian of its own, made by debootstrap.
# tools/gui/chroot.sh SUITE FOLDER    (sid: Blender 5.2, trixie: Blender 4.3)
# Exit code 3: it cannot be set up here; the reason is on stderr.
set -eu
suite=$1
folder=$2
[ ! -e "$folder/ready" ] || exit 0

cannot() {
    echo "No Blender with a window here: $1" >&2
    exit 3
}

[ "$(uname -s)" = Linux ] || cannot "this is not Linux"
[ "$(id -u)" = 0 ] || cannot "only root may set up a chroot"
command -v apt-get >/dev/null || cannot "this is not Debian or a relative of it"
# shellcheck disable=SC2016 # apt's own placeholders
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' |
    sort -u | head -1)
[ -n "$mirror" ] || cannot "apt knows no mirror of Debian (run apt-get update first)"
# Only one at a time: another suite may be set up beside this one.
flock "$(dirname "$folder")" sh -c 'command -v debootstrap >/dev/null ||
    apt-get install -y -qq --no-install-recommends debootstrap >/dev/null' ||
    cannot "debootstrap cannot be installed"

part=$folder.part
rm -rf --one-file-system "$part"
mkdir -p "$part"
log=$folder.log
echo "Setting up Blender from Debian $suite; the log is $log"
debootstrap --variant=minbase "$suite" "$part" "$mirror" >"$log" 2>&1 ||
    cannot "debootstrap of $suite failed, see $log"
# An old snapshot of the suite is as good as a new one; its signature is verified all the same.
echo 'Acquire::Check-Valid-Until "false";' >"$part/etc/apt/apt.conf.d/10snapshot"
printf 'path-exclude=/usr/share/%s/*\n' doc man locale info >"$part/etc/dpkg/dpkg.cfg.d/small"
printf 'path-include=/usr/share/locale/%s\n' languages 'de/*' >>"$part/etc/dpkg/dpkg.cfg.d/small"
ln -sf /proc/self/mounts "$part/etc/mtab"
cp /etc/resolv.conf "$part/etc/resolv.conf"
# python3-cattr: Debian's Blender needs it and does not say so.
DEBIAN_FRONTEND=noninteractive chroot "$part" sh -c '
    apt-get update -qq &&
    apt-get install -y -qq --no-install-recommends blender python3-numpy python3-cattr \
        python3-requests python3-zstandard ca-certificates xvfb xauth x11-utils x11-apps xdotool \
        imagemagick openbox libgl1-mesa-dri libglx-mesa0 libegl-mesa0 libegl1 fonts-dejavu-core &&
    apt-get clean' >>"$log" 2>&1 || cannot "Blender of $suite cannot be installed, see $log"
touch "$part/ready"
mv "$part" "$folder"
