#!/bin/sh
# Installs the system libraries that Blender's wheel links against, where they are missing.
set -eu
[ "$(uname -s)" = Linux ] || exit 0

missing=""
while read -r library package; do
    ldconfig -p 2>/dev/null | grep -q "$library" || missing="$missing $package"
done <<LIBRARIES
libX11.so.6 libx11-6
libXrender.so.1 libxrender1
libXxf86vm.so.1 libxxf86vm1
libXfixes.so.3 libxfixes3
libXi.so.6 libxi6
libxkbcommon.so.0 libxkbcommon0
libSM.so.6 libsm6
libICE.so.6 libice6
libGL.so.1 libgl1
libEGL.so.1 libegl1
LIBRARIES
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Please install these libraries for Blender:$missing" >&2
    exit 1
fi
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of packages
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing
