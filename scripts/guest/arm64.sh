# Sourced by scripts/kernel-matrix: everything for a guest of arm64, built on an x86-64 host in a Debian 13 of its own.
# shellcheck shell=bash

# Debian's packages with the tools that the tests run; apt knows what they need.
ARM64_PACKAGES=(bash bsdutils busybox-static coreutils dash grep hostname libelf1t64 mawk mount procps sed util-linux zlib1g)

# in_arm64_root COMMAND…: as root, with /proc and /dev
in_arm64_root() {
	# shellcheck disable=SC2016
	as_root unshare --mount sh -ec 'mount --rbind /dev "$0/dev"; mount -t proc proc "$0/proc"; exec chroot "$0" "$@"' \
		"$ARM64_ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/root TERM=dumb "$@"
}

# The Debian that has a Rust, a compiler and libraries for both machines.
install_arm64_root() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg include
	ARM64_ROOT=$CACHE/arm64/root
	[ ! -e "$ARM64_ROOT/complete" ] || return 0
	have mmdebstrap || install_packages "arm64 is built in a Debian of its own" mmdebstrap
	[ -e "$keyring" ] || install_packages "Debian's packages are verified" debian-archive-keyring
	include=rustc,cargo,clang,make,pkg-config,gcc,libc6-dev,libelf-dev,zlib1g-dev,gcc-aarch64-linux-gnu,libc6-dev:arm64
	include+=,libstd-rust-dev:arm64,libelf-dev:arm64,zlib1g-dev:arm64
	say "arm64: making a Debian 13 to build in"
	as_root rm -rf "$ARM64_ROOT"
	as_user mkdir -p "$CACHE/arm64"
	as_root mmdebstrap --mode=root --quiet --variant=apt --architectures=amd64,arm64 --include="$include" \
		--aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		trixie "$ARM64_ROOT" "deb [signed-by=$keyring] $MIRROR/debian trixie main" \
		"deb [signed-by=$keyring] $MIRROR/debian-security trixie-security main" >&2 ||
		fail "arm64: mmdebstrap could not make a Debian 13"
	as_root touch "$ARM64_ROOT/complete"
}

# The programs: as in PROGRAMS, in $ARM64_ROOT/programs.
build_arm64() {
	say "arm64: building"
	as_root rm -rf "$ARM64_ROOT"/build/{src,tests,bpf,.cargo} "$ARM64_ROOT/programs"
	as_root mkdir -p "$ARM64_ROOT"/build/.cargo "$ARM64_ROOT/programs"
	tar -C "$ROOT_DIR" --exclude=./target --exclude=./.git -c . | as_root tar -C "$ARM64_ROOT/build" -x
	# what the host's cargo has fetched: this Debian needs no network
	cargo_here vendor --locked --quiet --versioned-dirs "$CACHE/arm64/vendor" >&2
	as_root rm -rf "$ARM64_ROOT/vendor"
	as_root cp -r --preserve=timestamps "$CACHE/arm64/vendor" "$ARM64_ROOT/vendor"
	printf '[source.crates-io]\nreplace-with = "vendor"\n[source.vendor]\ndirectory = "/vendor"\n' |
		as_root tee "$ARM64_ROOT/build/.cargo/config.toml" >/dev/null
	# what only other tests need; what is left keeps its version of Cargo.lock
	as_root sed -i -E '/^(proptest|plotters|criterion) = /d' "$ARM64_ROOT/build/Cargo.toml"
	# emulated, it waits for the kernel: optimizing more costs more than it gains
	# shellcheck disable=SC2016
	in_arm64_root env CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
		CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar \
		PKG_CONFIG_ALLOW_CROSS=1 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=false sh -ec '
			cd /build
			cargo test --release --offline --quiet --target aarch64-unknown-linux-gnu --no-run \
				--message-format=json-render-diagnostics --test loads --test root --test truth >/programs.json
			for name in killsnoop loads root truth; do
				path=$(sed -n "s/.*\"name\":\"$name\".*\"executable\":\"\([^\"]*\)\".*/\1/p" /programs.json)
				aarch64-linux-gnu-strip --strip-debug -o "/programs/$name" "$path"
			done
			aarch64-linux-gnu-gcc -O2 -static -pthread -Wall -Wextra -Werror -o /programs/workload tests/workload/*.c
		' >&2 || fail "arm64: the build failed"
}

# The initramfs of Debian's tools. No program of it runs on this host.
pack_aarch64() {
	local root=$CACHE/guests/aarch64 debs=$CACHE/arm64/debs deb
	install_arm64_root
	build_arm64
	if [ ! -e "$debs/complete" ]; then
		say "arm64: fetching the guest's tools"
		as_user mkdir -p "$debs/partial"
		# an empty status: whatever is needed is fetched
		apt_here apt-get -o APT::Architecture=arm64 -o "Dir::Cache::archives=$debs" install --download-only \
			--no-install-recommends -y -qq "${ARM64_PACKAGES[@]}" >&2 || fail "arm64: the guest's tools could not be fetched"
		as_user touch "$debs/complete"
	fi
	make_root "$root"
	for deb in "$debs"/*.deb; do
		# not dpkg -x, which would put directories where the links are
		dpkg --fsys-tarfile "$deb" | tar -C "$root" -x --keep-directory-symlink --exclude='./usr/share/*' --exclude='./etc/*' \
			--exclude='./dev/*' || fail "arm64: $deb is damaged"
	done
	cp "$root/usr/bin/busybox" "$root/busybox"
	[ -e "$root/usr/bin/sh" ] || ln -s dash "$root/usr/bin/sh"
	[ -e "$root/usr/bin/awk" ] || ln -s mawk "$root/usr/bin/awk"
	cp "$ARM64_ROOT"/programs/* "$root/programs/"
	pack "$root" "$root.cpio"
}
