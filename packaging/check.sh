# Sourced by scripts/package --check, after dist/ was made: is it the same when built elsewhere, and does each package install, run
# and go without a trace?
# shellcheck shell=bash

# Debian releases that the .deb is tried on.
SUITES=${KILLSNOOP_SUITES:-bookworm trixie}

CHECK_DIR=$(mktemp -d)
chmod 755 "$CHECK_DIR"
MOUNTED=()
clean_check() {
	local path
	for path in "${MOUNTED[@]}"; do
		as_root umount -l "$path" || true
	done
	as_root rm -rf --one-file-system "$CHECK_DIR"
}
trap clean_check EXIT

PASSED=0
passed() {
	PASSED=$((PASSED + 1))
	say "passed: $*"
}
equal() { # WHAT WANTED IS
	[ "$2" = "$3" ] || fail "$1 differs:
$(diff <(echo "$2") <(echo "$3"))"
}
# all below a directory but what a package manager or a running system keeps of its own
tree_of() {
	(cd "$1" && as_root find . -path ./proc -prune -o -path ./sys -prune -o -path ./dev -prune -o -path ./tmp -prune -o -path ./run -prune \
		-o -path ./var/lib/dpkg -prune -o -path ./var/log -prune -o -path ./var/lib/systemd -prune -o -path ./var/lib/rpm -prune -o -print | sort)
}

check_same_bytes() {
	[ -z "$(own_git status --porcelain)" ] || fail "--check compares with a build of the commit: commit what is changed first"
	local other=$CHECK_DIR/a-longer-path/checkout
	mkdir -p "$other"
	own_git archive HEAD | tar -C "$other" -x
	chown -R "$BUILD_USER" "$CHECK_DIR/a-longer-path"
	say "building again, in another directory"
	local again
	again=$(build_static "$other" "$CHECK_DIR/a-longer-path/target")
	cmp "$again" "dist/killsnoop-$VERSION-$ARCH" || fail "two builds of one commit differ"
	make_all "$again" "$CHECK_DIR/dist"
	equal "a second build" "$(cat dist/SHA256SUMS)" "$(cat "$CHECK_DIR/dist/SHA256SUMS")"
	! grep -qaF -e "$ROOT_DIR" -e "${CARGO_HOME:-$BUILD_HOME/.cargo}" "dist/killsnoop-$VERSION-$ARCH" ||
		fail "the binary names directories of this machine"
	passed "two builds in two directories have the same bytes"
}

check_binary() {
	local size
	size=$(stat -c %s "dist/killsnoop-$VERSION-$ARCH")
	[ "$size" -le $((8 << 20)) ] || fail "the binary has $size bytes: more than 8 MiB"
	(cd dist && sha256sum --check --quiet SHA256SUMS) || fail "dist/SHA256SUMS is wrong"
	passed "static, $size bytes"
}

check_unit() {
	have systemd-analyze || install_packages "the unit is checked with systemd-analyze" systemd
	local root=$CHECK_DIR/unit exposure
	mkdir -p "$root/usr/bin"
	install -m 755 "dist/killsnoop-$VERSION-$ARCH" "$root/usr/bin/killsnoop"
	sed "s|^ExecStart=/usr/bin|ExecStart=$root/usr/bin|" packaging/systemd/killsnoop-record.service >"$root/killsnoop-record.service"
	local said
	said=$(systemd-analyze verify --man=no "$root/killsnoop-record.service" 2>&1) || fail "the unit: $said"
	[ -z "$said" ] || fail "the unit: $said"
	exposure=$(systemd-analyze security --offline=yes --no-pager "$root/killsnoop-record.service" |
		sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p')
	awk -v is="$exposure" 'BEGIN { exit !(is != "" && is <= 2.5) }' || fail "systemd-analyze security: $exposure, more than 2.5"
	passed "the unit is valid, exposure $exposure"
}

# traced_in DIRECTORY COMMAND…: a trace there, of a kill, by the killsnoop that is installed there.
traced_in() {
	local directory=$1 printed
	shift
	printed=$(as_root chroot "$directory" "$@" run -o logfmt -- /bin/sh -c 'kill -KILL $$' 2>&1) && fail "a command that was killed exits with 0: $printed"
	grep -q 'event=signal.* signalName=SIGKILL ' <<<"$printed" || fail "no kill was traced: $(grep '^killsnoop: ' <<<"$printed")"
}

check_deb() { # SUITE
	local root=$CHECK_DIR/$1 deb path before
	deb=$(cd dist && echo ./*.deb)
	[ -n "$(command -v mmdebstrap)" ] || install_packages "the .deb is tried in a Debian of its own" mmdebstrap
	as_root mmdebstrap --quiet --variant=minbase --include=init-system-helpers "$1" "$root" || fail "Debian $1 could not be fetched"
	for path in proc sys; do
		as_root mount --rbind --make-rslave "/$path" "$root/$path"
		MOUNTED+=("$root/$path")
	done
	before=$(tree_of "$root")
	as_root cp "dist/$deb" "$root/tmp/killsnoop.deb"
	as_root chroot "$root" dpkg -i /tmp/killsnoop.deb >/dev/null || fail "$1: the .deb does not install"
	equal "$1: the version" "killsnoop $VERSION" "$(as_root chroot "$root" killsnoop --version)"
	[ ! -e "$root/etc/systemd/system/sysinit.target.wants/killsnoop-record.service" ] || fail "$1: the service is enabled"
	traced_in "$root" /usr/bin/killsnoop
	as_root chroot "$root" dpkg --verify killsnoop || fail "$1: files differ from those of the package"

	# a configuration that was changed outlives an upgrade and a removal; what was recorded outlives all but purge
	as_root sh -c "echo '--keep=deaths' >>'$root/etc/killsnoop/record.conf'; mkdir -p '$root/var/lib/killsnoop'; echo >'$root/var/lib/killsnoop/events.db'"
	as_root chroot "$root" dpkg -i /tmp/killsnoop.deb >/dev/null || fail "$1: the .deb does not install over itself"
	as_root chroot "$root" dpkg -r killsnoop >/dev/null || fail "$1: the .deb cannot be removed"
	grep -q '^--keep=deaths' "$root/etc/killsnoop/record.conf" || fail "$1: a removal lost the configuration"
	[ -e "$root/var/lib/killsnoop/events.db" ] || fail "$1: a removal lost what was recorded"
	[ ! -e "$root/usr/bin/killsnoop" ] || fail "$1: a removal leaves the program"
	as_root chroot "$root" dpkg -P killsnoop >/dev/null || fail "$1: the .deb cannot be purged"
	equal "$1: the root after purge" "$before" "$(tree_of "$root")"
	passed "the .deb in Debian $1: installs, traces, upgrades, is removed and purged"
}

check_lintian() {
	have lintian || install_packages "the .deb is checked with lintian" lintian
	lintian --allow-root --fail-on error,warning dist/*.deb >&2 || fail "lintian"
	passed "lintian: no error, no warning"
}

check_rpm() {
	local root=$CHECK_DIR/rpm rpm
	rpm=$(echo dist/*.rpm)
	mkdir -p "$root"
	as_root rpm --root "$root" --initdb
	# dependencies: the root is empty, and so without a shell for the scripts
	as_root rpm --root "$root" -i --nodeps --noscripts "$PWD/$rpm" || fail "the .rpm does not install"
	as_root rpm --root "$root" -V --nodeps killsnoop || fail "files differ from those of the .rpm"
	equal "the version of the .rpm's program" "killsnoop $VERSION" "$(as_root chroot "$root" /usr/bin/killsnoop --version)"
	as_root rpm --root "$root" -e --nodeps --noscripts killsnoop || fail "the .rpm cannot be removed"
	[ -z "$(find "$root" -name '*killsnoop*')" ] || fail "the .rpm leaves $(find "$root" -name '*killsnoop*')"
	passed "the .rpm: installs, runs and is removed (its scripts, and a distribution with rpm, were not tried)"
}

check_tarball() {
	local root=$CHECK_DIR/tarball/root unpacked=$CHECK_DIR/tarball/killsnoop-$VERSION-$ARCH config
	mkdir -p "$root"
	tar -C "$CHECK_DIR/tarball" -xf dist/*.tar.xz
	"$unpacked/install" --root "$root" 2>/dev/null || fail "the tarball does not install"
	equal "the version of the tarball's program" "killsnoop $VERSION" "$("$root/usr/local/bin/killsnoop" --version)"
	config=$root/etc/killsnoop/record.conf
	echo "--keep=deaths" >>"$config"
	"$unpacked/install" --root "$root" 2>/dev/null || fail "the tarball does not install over itself"
	tail -n 1 "$config" | grep -q '^--keep=deaths' || fail "an installation over another lost the configuration"
	"$unpacked/install" --root "$root" --uninstall 2>/dev/null || fail "the tarball cannot be removed"
	[ -e "$config" ] || fail "a removal lost the configuration"
	"$unpacked/install" --root "$root" 2>/dev/null
	"$unpacked/install" --root "$root" --purge 2>/dev/null || fail "it cannot be purged"
	[ -z "$(find "$root" ! -type d)" ] || fail "purge leaves $(find "$root" ! -type d)"

	# what cannot be installed whole is not installed
	rm -rf "$root" && mkdir -p "$root/usr/local" && : >"$root/usr/local/lib"
	! "$unpacked/install" --root "$root" 2>/dev/null || fail "it installs where a directory cannot be made"
	equal "what a failed installation leaves" "$root/usr/local/lib" "$(find "$root" ! -type d)"
	rm -rf "$root" && mkdir -p "$root" && echo >>"$unpacked/files/etc/killsnoop/record.conf"
	! "$unpacked/install" --root "$root" 2>/dev/null || fail "it installs files that are not those of the release"
	[ -z "$(ls -A "$root")" ] || fail "a refused installation leaves $(ls -A "$root")"
	passed "the tarball: installs, keeps the configuration, is removed and purged; a failure leaves nothing"
}

check_image() {
	have runc || install_packages "the image is run with runc" runc
	local layout=$CHECK_DIR/oci bundle=$CHECK_DIR/bundle
	mkdir -p "$layout"
	tar -C "$layout" -xf dist/*.oci.tar
	as_root umoci unpack --image "$layout:latest" "$bundle" >/dev/null 2>&1 || fail "umoci does not unpack the image"
	# the two capabilities that it needs, in the host's pid namespace, with nothing writable
	jq '.process.terminal = false | .process.args += ["-q", "-o", "json", "--duration", "4"] | .root.readonly = true
		| .process.capabilities |= with_entries(.value = ["CAP_BPF", "CAP_PERFMON"])
		| .linux.namespaces |= map(select(.type != "pid" and .type != "network" and .type != "user")) | del(.linux.uidMappings, .linux.gidMappings)
		| del(.linux.seccomp) | .mounts |= map(select(.type != "cgroup"))' "$bundle/config.json" >"$CHECK_DIR/config.json"
	as_root cp "$CHECK_DIR/config.json" "$bundle/config.json"
	# after the start, whose time depends on the machine
	sh -c 'for _ in 1 2 3 4 5; do sleep 1; sh -c "kill -KILL \$\$"; done' 2>/dev/null &
	as_root runc run --bundle "$bundle" "killsnoop-check-$$" >"$CHECK_DIR/events" 2>"$CHECK_DIR/errors" || fail "the image does not run: $(cat "$CHECK_DIR/errors")"
	wait
	jq -es 'any(.[]; .event == "signal" and .signalName == "SIGKILL" and .source.comm == "sh")' "$CHECK_DIR/events" >/dev/null ||
		fail "no kill was traced in the container: $(cat "$CHECK_DIR/errors")"
	passed "the image: runs with runc, CAP_BPF and CAP_PERFMON, and traces the host"
}

check_binary
check_unit
if makes tarball; then check_tarball; fi
if makes rpm; then check_rpm; fi
if makes image; then check_image; fi
if makes deb; then
	check_lintian
	for suite in $SUITES; do
		check_deb "$suite"
	done
fi
check_same_bytes
echo "$PASSED passed, 0 failed"
