# Sourced by the other scripts: install what is missing, build as the user, run as root.
# shellcheck shell=bash
#
# The user is the caller: under sudo the one who called it, so that target/ stays theirs; but root where the
# checkout is root's.

set -euo pipefail
ROOT_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The same as rust-version in Cargo.toml.
RUST_MINOR=85

say() { printf 'scripts: %s\n' "$*" >&2; }
fail() {
	say "$*"
	exit 1
}

# private_group UID: the group of that user, if nobody else is in it; what it may write only this user may.
private_group() {
	local name group
	name=$(id -nu "$1" 2>/dev/null) || return 0
	group=$(getent group "$(id -g "$1")") || return 0
	[[ $group == "$name":*: || $group == "$name":*:"$name" ]] && id -g "$1"
	return 0
}

# A user who may write what root is to run may do all that root may. So, as git does, refuse a checkout that others may write:
# trusted are root, the caller, and under sudo the one who called it. Above the checkout others may write a directory only if
# it is sticky, and cargo and rustup must not find a file of theirs there.
check_checkout() {
	[ "${KILLSNOOP_SAFE_CHECKOUT:-}" != "$ROOT_DIR" ] || return 0
	local trusted=(0) foreign=() writable=() gid="" uid directory found why fix
	[ "$(id -u)" = 0 ] || trusted+=("$(id -u)")
	if [ "$(id -u)" = 0 ] && [[ ${SUDO_UID:-} =~ ^[0-9]+$ ]]; then
		trusted+=("$SUDO_UID")
	fi
	writable=(-perm -020)
	for uid in "${trusted[@]}"; do
		foreign+=(! -uid "$uid")
		gid=$(private_group "$uid")
		[ -z "$gid" ] || writable+=(! -gid "$gid")
	done
	writable=(! -type l "(" -perm -002 -o "(" "${writable[@]}" ")" ")")
	local all=("$ROOT_DIR")
	[ ! -L "$ROOT_DIR/target" ] || all+=("$(realpath "$ROOT_DIR/target")")
	# git looks at its objects by their hashes; nothing is run from there
	found=$(find "${all[@]}" -path "$ROOT_DIR/.git/objects" -prune -o "(" "${foreign[@]}" -o "${writable[@]}" ")" -print -quit)
	for directory in "${all[@]}"; do
		directory=$(realpath "$directory")
		while [ -z "$found" ] && [ "$directory" != / ]; do
			directory=$(dirname "$directory")
			found=$(find "$directory" -maxdepth 0 "(" "${foreign[@]}" -o ! -perm -1000 "${writable[@]}" ")" -print
				find "$directory/".cargo "$directory/".cargo/config{,.toml} "$directory/"rust-toolchain{,.toml} "$directory/Cargo.toml" \
					-maxdepth 0 "(" "${foreign[@]}" -o "${writable[@]}" ")" -print 2>/dev/null || true)
			found=${found%%$'\n'*}
		done
	done
	[ -n "$found" ] || return 0
	uid=$(stat -c %u "$found")
	if [[ " ${trusted[*]} " == *" $uid "* ]]; then
		why="others than $(stat -c %U "$found") may write $found ($(stat -c %A "$found"), group $(stat -c %G "$found"))"
		fix="chmod -R go-w $(printf %q "$ROOT_DIR"), if what they have put there is trusted"
	else
		why="$found belongs to $(stat -c %U "$found") (uid $uid), who is not the caller"
		fix="its owner calls this, with sudo where it must be root; or chown -R root: $(printf %q "$ROOT_DIR"), if what is there is trusted"
	fi
	[[ $found/ == "$ROOT_DIR"/* ]] || fix="move the checkout to where nobody else may write the directories above it"
	fail "refused, since what is in the checkout is built and run as root: $why
fix: $fix; or set KILLSNOOP_SAFE_CHECKOUT=$(printf %q "$ROOT_DIR"), if all who may write it may be root as well"
}
check_checkout

if [ "$(id -u)" = 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$(stat -c %U "$ROOT_DIR")" != root ]; then
	BUILD_USER=$SUDO_USER
	BUILD_HOME=$(getent passwd "$SUDO_USER" | cut -d: -f6)
else
	BUILD_USER=$(id -un)
	BUILD_HOME=${HOME:-/root}
fi
CARGO_BIN=$BUILD_HOME/.cargo/bin

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		fail "this needs root, and there is no sudo: run it as root: $*"
	fi
}

# Root's PATH under sudo has no ~/.cargo/bin.
as_user() {
	if [ "$(id -un)" = "$BUILD_USER" ]; then
		PATH="$CARGO_BIN:$PATH" "$@"
	else
		sudo -u "$BUILD_USER" -H env "PATH=$CARGO_BIN:$PATH" "$@"
	fi
}

have() { as_user which "$1" >/dev/null 2>&1; }

# install WHY PACKAGE…
install_packages() {
	local why=$1
	shift
	command -v apt-get >/dev/null ||
		fail "$why, and this is no Debian or Ubuntu: install what they call $* and run this again"
	if [ -z "${APT_UPDATED:-}" ]; then
		as_root apt-get update -qq || fail "apt-get update failed: look at /etc/apt/sources.list, and at the network"
		APT_UPDATED=1
	fi
	local size
	size=$(size_of_install "$@")
	say "$why: installing $*${size:+ ($size)}"
	quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" ||
		fail "apt-get could not install $*: its messages are above"
}

# size_of_install PACKAGE…: how much comes with them, in apt's own words.
size_of_install() {
	# it ends with 1, as one who said no
	{ LC_ALL=C apt-get install --assume-no --no-install-recommends "$@" 2>/dev/null || true; } | awk '
		/ newly installed/ { packages = $3 " packages" }
		/^Need to get / { sub(/^Need to get /, ""); sub(/ of archives\.$/, ""); download = ", " $0 " to download" }
		/^After this operation, .* will be used/ { disk = ", " $4 " " $5 " on disk" }
		END { print packages download disk }'
}

# quietly COMMAND…: what it prints is shown if it fails. dpkg has a line for each package and each of its steps.
quietly() {
	local printed status=0
	printed=$(mktemp)
	"$@" >"$printed" 2>&1 </dev/null || status=$?
	[ "$status" = 0 ] || cat "$printed" >&2
	rm -f "$printed"
	return "$status"
}

# missing_packages COMMAND=PACKAGE…: the packages of those commands that the distribution's own directories do not have; a path may
# stand for a command.
missing_packages() {
	local pair
	for pair in "$@"; do
		[ -e "${pair%%=*}" ] || (PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "${pair%%=*}" >/dev/null) || echo "${pair#*=}"
	done | sort -u
}

# install_static_busybox WHY: one that runs where there is no library.
install_static_busybox() {
	if [ ! -x /bin/busybox ] || ldd /bin/busybox >/dev/null 2>&1; then
		install_packages "$1" busybox-static
	fi
}

# Tools and headers that the build needs, each with the package that brings it.
install_build_tools() {
	local missing=()
	have clang || missing+=(clang)
	have cc || missing+=(gcc)
	have make || missing+=(make)
	have pkg-config || missing+=(pkg-config)
	[ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
	[ -e /usr/include/libelf.h ] || missing+=(libelf-dev)
	[ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
	[ ${#missing[@]} = 0 ] || install_packages "the build needs more than is here" "${missing[@]}"
	local clang_major
	clang_major=$(as_user clang -dumpversion | cut -d. -f1)
	[ "$clang_major" -ge 14 ] || fail "clang $clang_major is too old: bpf/ needs clang 14 or newer"
}

rust_is_new_enough() {
	local minor
	have cargo && have rustc || return 1
	minor=$(as_user rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
	[ -n "$minor" ] && [ "$minor" -ge "$RUST_MINOR" ]
}

# The minor version of a package that apt would install; nothing if there is none.
apt_rust_minor() {
	LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: \([0-9]*:\)\?1\.\([0-9]*\)[.+~-].*/\2/p'
}

# A Rust that is there and new enough; else the distribution's; else rustup.
install_rust() {
	local minor
	rust_is_new_enough && return
	minor=
	if command -v apt-get >/dev/null; then
		[ -n "${APT_UPDATED:-}" ] || as_root apt-get update -qq || say "apt-get update failed: going on with the old lists"
		APT_UPDATED=1
		minor=$(apt_rust_minor rustc)
	fi
	if [ -n "$minor" ] && [ "$minor" -ge "$RUST_MINOR" ]; then
		install_packages "no Rust of 1.$RUST_MINOR or newer is here" rustc cargo
	else
		say "no Rust of 1.$RUST_MINOR or newer is here, and this distribution has ${minor:+only 1.}${minor:-none}"
		if ! have rustup && LC_ALL=C apt-cache policy rustup 2>/dev/null | grep -q 'Candidate: [0-9]'; then
			install_packages "Rust will come by rustup" rustup
		fi
		if ! have rustup; then
			have curl || install_packages "rustup is fetched with curl" curl ca-certificates
			say "fetching rustup from https://sh.rustup.rs into $BUILD_HOME/.cargo and $BUILD_HOME/.rustup"
			# as a file first: what came by half must not be run
			# shellcheck disable=SC2016
			as_user sh -c 'script=$(mktemp) && curl --proto "=https" --tlsv1.2 -sSf -o "$script" https://sh.rustup.rs &&
				sh "$script" -y --profile minimal --no-modify-path' >&2 ||
				fail "rustup could not be fetched: install Rust 1.$RUST_MINOR or newer yourself (https://rustup.rs) and run this again"
		fi
		say "installing the stable Rust with rustup"
		if ! as_user rustup toolchain install stable --profile minimal >&2 || ! as_user rustup default stable >&2; then
			fail "rustup could not install Rust: install Rust 1.$RUST_MINOR or newer yourself and run this again"
		fi
	fi
	rust_is_new_enough || fail "Rust is still older than 1.$RUST_MINOR: is another one first in PATH?"
}

# cargo for the checkout, wherever this was called from. From the root directory, since cargo and rustup obey files that they
# find in the current one and above: where that is /tmp, anybody's. Variables may come first, as with env.
cargo_here() {
	local variables=()
	while [[ $1 == [A-Z]*=* ]]; do
		variables+=("$1")
		shift
	done
	(cd / && as_user env "${variables[@]}" cargo "$1" --manifest-path "$ROOT_DIR/Cargo.toml" "${@:2}")
}

# The path of a test program, built.
test_program() {
	cargo_here test --release --locked --test "$1" --no-run --message-format=json-render-diagnostics |
		sed -n 's/.*"name":"'"$1"'".*"executable":"\([^"]*\)".*/\1/p'
}

# The path of a program that measures, built, and killsnoop with it.
bench_program() {
	cargo_here bench --locked --bench "$1" --no-run --message-format=json-render-diagnostics |
		sed -n 's/.*"name":"'"$1"'".*"executable":"\([^"]*\)".*/\1/p'
}

set_up() {
	install_build_tools
	install_rust
}
