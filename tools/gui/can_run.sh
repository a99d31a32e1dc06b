#!/bin/sh
# Can Blender with a window be set up here? Says why not, and then ends with 1.
set -eu
cannot() {
    echo "The tests in a window are left out: $1."
    exit 1
}
[ "$(uname -s)" = Linux ] || cannot "this is not Linux"
[ "$(id -u)" = 0 ] || cannot "they need root for a chroot"
[ "$(uname -m)" = x86_64 ] || cannot "Debian has Blender's newest version for x86_64"
unshare --mount --pid --fork --propagation private true 2>/dev/null ||
    cannot "this system allows no mounts of its own"
[ ! -e .venvs/gui/sid/ready ] || [ ! -e .venvs/gui/trixie/ready ] || exit 0
command -v apt-get >/dev/null || cannot "this is not Debian or a relative of it"
apt-get update -qq >/dev/null 2>&1 || cannot "the distribution's packages cannot be reached"
# shellcheck disable=SC2016 # apt's own placeholders
[ -n "$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian')" ] ||
    cannot "apt knows no mirror of Debian"
