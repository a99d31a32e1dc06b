#!/bin/sh
# Installs a browser without a window for the test of the study's page, where Debian has one.
# Never fails: where there is none, that test is left out and says so.
set -eu
package=chromium-headless-shell
for name in $package chromium chromium-browser google-chrome; do
    ! command -v $name >/dev/null || exit 0
done
left_out() {
    echo "The test of the study's page is left out: $1."
    exit 0
}
command -v apt-get >/dev/null || left_out "no Chromium is installed, and this is not Debian"
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
# shellcheck disable=SC2086 # nothing, or a command
$as_root apt-get update -qq >/dev/null 2>&1 || left_out "no Chromium can be installed"
[ -n "$(apt-cache search --names-only "^$package\$")" ] || left_out "there is no $package"
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $package \
    >/dev/null 2>&1 || left_out "$package cannot be installed"
