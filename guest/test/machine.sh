# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120 # arguments are for those who source it
#
# What the scripts here share that run in the machine of scripts/vm: Debian's QEMU boots $dir/vmlinuz, which has
# $dir/initrd, with a shell on its console, and dynirqs are plugged into it. $dir also has the command kvm-irqx, and what says
# how: the file settings, sourced.
#
#	QEMU=...	the program
#	MACHINE=...	its arguments for the machine
#	APPEND=...	for the kernel
#	DISK=...	its arguments for the disk with the root file system, if that is not the initrd

: "${dir:?}"
# shellcheck source=/dev/null
. "$dir/settings"

tmp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
qemu_pid=
initrd=initrd

# until SECONDS COMMAND...
until_() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] && [ ! -e "$tmp/stopped" ] || return 1
		sleep 0.2
	done
}

# boot ARG... : QEMU, with these too; waits for the guest's shell
boot() {
	rm -f "$tmp"/mon.* "$tmp"/con.* "$tmp/qmp"
	mkfifo "$tmp/mon.in" "$tmp/mon.out" "$tmp/con.in" "$tmp/con.out"
	# shellcheck disable=SC2086
	TMPDIR=$tmp "$QEMU" $MACHINE $DISK -accel kvm -smp 2 -m 512 -nodefaults -no-user-config -display none \
		-kernel "$dir/vmlinuz" -initrd "$dir/$initrd" \
		-append "loglevel=1 panic=-1 mitigations=off audit=0 $APPEND" \
		-chardev "pipe,id=con,path=$tmp/con" -serial chardev:con -chardev "pipe,id=mon,path=$tmp/mon" -mon chardev=mon \
		-qmp "unix:$tmp/qmp,server=on,wait=off" \
		-device pcie-root-port,id=port0,chassis=1,slot=1 -device pcie-root-port,id=port1,chassis=2,slot=2 "$@" \
		</dev/null >"$tmp/qemu" 2>&1 &
	qemu_pid=$!
	exec {mon_in}<>"$tmp/mon.in" {mon_out}<>"$tmp/mon.out" {con_in}<>"$tmp/con.in" {con_out}<>"$tmp/con.out"
}

# What the guest says up to the end of a command; its status.
hear() {
	local line
	while read -r -t "${1:-60}" -u "$con_out" line; do
		line=${line//$'\r'/}
		case $line in
		*"== ready") return 0 ;;
		*"== "[0-9]*)
			[ "$line" = "${line#*== }" ] || printf '%s' "${line%%== *}"
			return "${line##*== }"
			;;
		esac
		printf '%s\n' "$line"
	done
	echo "(the guest has not answered)"
	cat "$tmp/qemu" >&2
	monitor "info registers -a" | grep -E '^CPU|^RIP|^RSP|^PC|^R|^X[0-3]' >&2
	touch "$tmp/stopped"
	return 124
}

# guest COMMAND... : in the guest's shell
guest() {
	printf '%s\n' "$*" >&"$con_in"
	hear
}

# monitor COMMAND : what QEMU's prints
monitor() {
	local line
	printf '%s\nhelp help\n' "$1" >&"$mon_in"
	while read -r -t 30 -u "$mon_out" line; do
		line=${line//$'\r'/}
		case $line in
		help*) break ;;
		*\(qemu\)* | QEMU*) ;;
		*) echo "$line" ;;
		esac
	done
}

irqx() { "$dir/kvm-irqx" dynirq "$1" "$qemu_pid" "${@:2}"; }

# serve ARG... : in the background; what it says is in $tmp/serve
serve() {
	"$dir/kvm-irqx" dynirq serve "$qemu_pid" "$@" >"$tmp/serve" 2>&1 &
	server=$!
}

answers() { grep -q '^answers at' "$tmp/serve"; }

end_server() {
	kill "$server" 2>/dev/null
	wait "$server"
}

# All that the guest says must be heard: no grep -q or head behind it.
log_has() { guest "dmesg | grep -q '$1'"; }
loaded() { guest "grep -q '^kvm_dynirq ' /proc/modules"; }
