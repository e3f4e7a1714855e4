#!/bin/sh
# Make the virtual environment that the Makefile installs into: tools/environment.sh FOLDER [PYTHON]
#
# Finds a Python of at least 3.11 that can make one. Debian and Ubuntu ship Python without its venv
# module: as root on such a system it is installed, otherwise the command to install it is shown.
set -eu

folder=$1
wanted=${2:-}
# 3.11 first: it is what constraints.txt was tested with.
candidates=${wanted:-"python3.11 python3.12 python3.13 python3 python3.14"}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

can_make_one() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

find_python() {
    for candidate in $candidates; do
        if is_new_enough "$candidate" && can_make_one "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

find_bare_python() {
    for candidate in $candidates; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

python=$(find_python)
if [ -z "$python" ]; then
    bare=$(find_bare_python)
    if [ -z "$bare" ]; then
        echo "error: Python 3.11 or newer is needed${wanted:+, and $wanted is not that}" >&2
        echo "  remedy: install one (Debian, Ubuntu: apt-get install python3 python3-venv)," >&2
        echo "          or name it: make PYTHON=/path/to/python3.12 demo" >&2
        exit 2
    fi
    # Debian packages the module per version; the unversioned name follows the system's own Python.
    package="python$("$bare" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing $package, which this system's Python comes without" >&2
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null
        python=$(find_python)
    fi
    if [ -z "$python" ]; then
        echo "error: $bare cannot make virtual environments: its venv module is not installed" >&2
        echo "  remedy: sudo apt-get install $package, then run make again" >&2
        exit 2
    fi
fi

rm -rf "$folder"
"$python" -m venv "$folder"
