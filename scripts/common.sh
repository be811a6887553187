# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# Sourced by the scripts beside it: where things are, what is printed how, packages, the kernel table, locks.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
SCRIPTS=$ROOT/scripts
BUILD=${IRQX_BUILD:-$ROOT/build}
# A build with KDIR= may be on another distribution, and asks nothing that the second name would not do for.
NATIVE_ARCH=$(dpkg --print-architecture 2>/dev/null || uname -m)
DEFAULT_KERNEL=6.12
export LC_ALL=C.UTF-8
# The makes that scripts start are no part of the one that may have started the script: with its -s they would say
# nothing in logs that are read, with its -j they would warn of it.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
umask 022
mkdir -p "$BUILD"

# stdout belongs to results: whatever tells a person what goes on is on stderr
progress() { printf -- '-- %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit "${DIE_STATUS:-1}"; }

# The comment at the head of a script is its help.
usage() { sed -n '4,/^$/ s/^# \{0,1\}//p' "$0"; }

# quietly LOG CMD... : nobody reads the output of a command that worked; all of it is shown if it fails
quietly() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 && return
	local status=$?
	printf '%s: failed (%s): %s\n' "${0##*/}" "$status" "$*" >&2
	cat "$log" >&2
	return "$status"
}

# lock NAME : held until the calling shell or subshell ends
lock() {
	local fd
	mkdir -p "$BUILD/.locks"
	exec {fd}>"$BUILD/.locks/$1"
	if ! flock -n "$fd"; then
		progress "waiting for another run ($1)"
		flock "$fd"
	fi
}

have_packages() {
	local installed
	installed=$(dpkg-query -W -f='${db:Status-Status}\n' "$@" 2>/dev/null) || return 1
	! grep -qvx installed <<<"$installed"
}

_install() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
		install --no-install-recommends "$@" </dev/null >>"$BUILD/apt.log" 2>&1
}

_update() { apt-get -q -o DPkg::Lock::Timeout=600 update </dev/null >>"$BUILD/apt.log" 2>&1; }

# with_apt FUNC ARG... : prints what FUNC prints. FUNC logs to build/apt.log and fails if a look-up or a download
# does, as happens when the lists are missing or stale: then, and only then, they are updated and it runs again.
with_apt() (
	lock apt
	: >"$BUILD/apt.log"
	if ! out=$("$@") && ! { _update && out=$("$@"); }; then
		cat "$BUILD/apt.log" >&2
		die "apt could not do it: $*"
	fi
	printf '%s\n' "$out"
)

# codename [SUITE] : of the release that SUITE belongs to, or this machine's
codename() {
	if [ $# = 0 ]; then
		# shellcheck disable=SC1091
		(. /etc/os-release && echo "$VERSION_CODENAME")
	else
		echo "${1%%-*}"
	fi
}

# apt_sources SUITE [ARCH] : lines for a sources.list that has SUITE at the mirrors that this machine's apt uses; if
# SUITE is a whole release, with updates and security fixes as far as this machine has its own. For with_apt.
apt_sources() {
	local suite=$1 arch=${2:-$NATIVE_ARCH} own release uri known component
	own=$(codename)
	release=$(codename "$suite")
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' \
		"Architecture: $arch" |
		while read -r uri known component; do
			case $known in
			"$own" | "$own-updates" | "$own-security") known=$release${known#"$own"} ;;
			*) continue ;;
			esac
			case $suite in
			"$release" | "$known") echo "deb $uri $known $component" ;;
			# of another of this machine's lines
			"$release-updates" | "$release-security") ;;
			*) [ "$known" != "$release" ] || echo "deb $uri $suite $component" ;;
			esac
		done | sort -u | grep .
}

# with_suite SUITE FUNC ARG... : with_apt; if SUITE is not of this machine's release apt sees that suite alone, with
# lists of its own below build/apt. Nothing is installed from it.
with_suite() (
	suite=$1
	shift
	if [ "$(codename "$suite")" != "$(codename)" ]; then
		dir=$BUILD/apt/$suite
		mkdir -p "$dir/lists/partial"
		with_apt apt_sources "$suite" >"$dir/sources.list.$$" || exit
		mv "$dir/sources.list.$$" "$dir/sources.list"
		printf '%s "%s";\n' Dir::Etc::SourceList "$dir/sources.list" Dir::Etc::SourceParts - \
			Dir::State::Lists "$dir/lists" Dir::Cache::pkgcache '' Dir::Cache::srcpkgcache '' >"$dir/apt.conf.$$"
		mv "$dir/apt.conf.$$" "$dir/apt.conf"
		export APT_CONFIG=$dir/apt.conf
	fi
	with_apt "$@"
)

# need_packages PKG... : installs what is missing
need_packages() {
	local pkg missing=()
	have_packages "$@" && return
	for pkg; do
		have_packages "$pkg" || missing+=("$pkg")
	done
	[ "$(id -u)" = 0 ] || die "as root: apt-get install --no-install-recommends ${missing[*]}"
	progress "installing ${missing[*]}"
	with_apt _install "${missing[@]}" >/dev/null
}

# need_arch ARCH : so that apt knows packages of it; with_apt then misses them in the lists and updates those
need_arch() {
	[ "$1" != "$NATIVE_ARCH" ] || return 0
	! dpkg --print-foreign-architectures | grep -qx "$1" || return 0
	[ "$(id -u)" = 0 ] || die "as root: dpkg --add-architecture $1 && apt-get update"
	progress "adding architecture $1 to dpkg's"
	dpkg --add-architecture "$1"
}

# module_version : MAJOR.MINOR.PATCH, from src/version.h
module_version() {
	local version
	version=$(sed -n 's/^#define IRQX_VERSION_\(MAJOR\|MINOR\|PATCH\)\t\([0-9]*\)$/\2/p' "$ROOT/src/version.h" | paste -sd.)
	[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "no version in src/version.h"
	echo "$version"
}

# kernel_field NAME ARCH FIELD : from scripts/kernels; fails if there is no such kernel
kernel_field() {
	awk -v name="$1" -v arch="$2" -v field="$3" '
		BEGIN { split("name arch suite image source compiler slow append", column); for (i in column) nr[column[i]] = i }
		$1 == name && $2 == arch { print $nr[field]; found = 1; exit }
		END { exit !found }' "$SCRIPTS/kernels"
}

# kernel_names ARCH [KIND] : of KIND stock or debug, or all
kernel_names() {
	awk -v arch="$1" -v kind="${2-}" '
		!/^ *#/ && $2 == arch && (kind == "" || (kind == "debug") == ($4 == "-")) { print $1 }' "$SCRIPTS/kernels"
}

need_kernel() {
	kernel_field "$1" "$2" name >/dev/null ||
		die "no kernel '$1' for $2 in scripts/kernels (there are: $(kernel_names "$2" | xargs))"
}

# linux_arch ARCH : what the kernel's make calls it
linux_arch() {
	case $1 in
	amd64) echo x86 ;;
	arm64) echo arm64 ;;
	*) die "unknown architecture '$1'" ;;
	esac
}

# cross_prefix ARCH : what the names of the tools begin with that build for ARCH here; nothing if they are this machine's
cross_prefix() {
	case $1 in
	"$NATIVE_ARCH") ;;
	amd64) echo x86_64-linux-gnu- ;;
	arm64) echo aarch64-linux-gnu- ;;
	i386) echo i686-linux-gnu- ;;
	*) die "unknown architecture '$1'" ;;
	esac
}

# compiler_package COMPILER ARCH : the package of that compiler for ARCH
compiler_package() {
	local prefix
	prefix=$(cross_prefix "$2")
	prefix=${prefix//_/-}
	echo "$1${prefix:+-${prefix%-}}"
}

# The next two are for functions that with_suite runs.

# package_field PKG FIELD : of the version that apt would install, or of PKG=VERSION
package_field() {
	apt-cache --no-all-versions show "$1" 2>>"$BUILD/apt.log" |
		awk -v field="$2:" '$1 == field { sub(/^[^ ]* /, ""); value = $0 } END { print value; exit value == "" }' ||
		{ echo "no $2 of package $1; are all suites of scripts/kernels in the apt sources?" >>"$BUILD/apt.log"; return 1; }
}

# fetch_deb PKG[:ARCH] VERSION : prints the path of the package's file, downloaded once
fetch_deb() {
	local pkg=${1%%:*} version=${2//:/%3a} file tmp
	mkdir -p "$BUILD/deb"
	for file in "$BUILD/deb/${pkg}_${version}_"*.deb; do
		[ ! -e "$file" ] || { echo "$file"; return; }
	done
	progress "downloading $pkg $2"
	rm -rf "$BUILD/deb/tmp"
	mkdir "$BUILD/deb/tmp"
	(cd "$BUILD/deb/tmp" && apt-get -q -o APT::Sandbox::User=root download "$1=$2") >>"$BUILD/apt.log" 2>&1 || return
	for file in "$BUILD/deb/tmp/"*.deb; do
		mv "$file" "$BUILD/deb/"
		echo "$BUILD/deb/${file##*/}"
	done
}

# unpack_source PKG VERSION DEB : into build/source/PKG-VERSION, whole, and kept: modules are built with it
unpack_source() (
	lock "source-$1"
	[ ! -d "$BUILD/source/$1-$2" ] || exit 0
	progress "unpacking $1 $2"
	rm -rf "$BUILD/source/$1-"*
	mkdir -p "$BUILD/source/$1-$2.tmp"
	dpkg-deb --fsys-tarfile "$3" | tar -xO "./usr/src/$1.tar.xz" | xz -dc -T0 |
		tar -x -C "$BUILD/source/$1-$2.tmp" --no-same-owner --strip-components=1
	mv "$BUILD/source/$1-$2.tmp" "$BUILD/source/$1-$2"
)

# config_lacks CONFIG <FRAGMENTS : what of them is not so in CONFIG; of an option the last counts. Kconfig drops without a
# word what depends on something that is off.
config_lacks() {
	awk '
		/^# CONFIG_[A-Z0-9_]+ is not set/ { want[$2] = "n"; next }
		/^CONFIG_[A-Z0-9_]+=/ { name = $0; sub(/=.*/, "", name); sub(/^[^=]*=/, ""); want[name] = $0 }
		END { for (name in want) print name "=" want[name] }' |
		sort | awk -F = -v config="$1" '
		BEGIN {
			while ((getline line <config) > 0)
				if (match(line, /^CONFIG_[A-Z0-9_]+=/))
					is[substr(line, 1, RLENGTH - 1)] = substr(line, RLENGTH + 1)
		}
		{ name = $1; sub(/^[^=]*=/, "") }
		$0 != (name in is ? is[name] : "n") { print name "=" $0 }'
}
