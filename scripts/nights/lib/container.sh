# Sourced by the nights that need containers: runs them with runc as an engine would have it do (a config.json, a cgroup
# path that says who made the container), from the host's own /usr, so that nothing is downloaded.
# shellcheck shell=bash

need "containers are made by runc" runc=runc

# An id as engines make them: 64 hexadecimal digits; the same for the same name, so that the page stays as it is.
container_id() { printf %s "$1" | sha256sum | cut -c1-64; }

# The cgroups that Docker and, for a container of a pod, containerd under the kubelet ask for, below the night's.
# shellcheck disable=SC2153
docker_cgroup() { echo "$CGROUP/system.slice/docker-$1.scope"; }
pod_cgroup() {
	echo "$CGROUP/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${1//-/_}.slice/cri-containerd-$2.scope"
}

runc() { command runc --root "$WORK/runc" "$@"; }

# start_container ID HOSTNAME CGROUP SPEC COMMAND…: SPEC is a jq program that changes the config.json. A runc stays as its parent, as
# a shim would. Its PID 1 is then CONTAINER_PID.
start_container() {
	local id=$1 hostname=$2 cgroup=$3 spec=$4 bundle=$WORK/bundle-${1:0:12} name
	shift 4
	mkdir -p "$bundle/rootfs"/{usr,etc,proc,dev,sys,tmp}
	for name in bin sbin lib lib64; do
		[ ! -e "/usr/$name" ] || ln -s "usr/$name" "$bundle/rootfs/$name"
	done
	jq --null-input --arg hostname "$hostname" --arg cgroup "$cgroup" --args '
		def from_host($path): { destination: $path, source: $path, type: "bind", options: ["rbind", "ro"] };
		{
			ociVersion: "1.0.2",
			hostname: $hostname,
			root: { path: "rootfs" },
			process: {
				cwd: "/", args: $ARGS.positional, env: ["PATH=/usr/sbin:/usr/bin"], user: { uid: 0, gid: 0 },
				capabilities: (["CAP_KILL"] | { bounding: ., effective: ., permitted: . })
			},
			mounts: [
				from_host("/usr"), from_host("/etc"),
				{ destination: "/proc", source: "proc", type: "proc" },
				{ destination: "/dev", source: "tmpfs", type: "tmpfs", options: ["nosuid", "mode=755"] },
				{ destination: "/tmp", source: "tmpfs", type: "tmpfs", options: ["nosuid", "nodev"] }
			],
			linux: { cgroupsPath: $cgroup, namespaces: (["pid", "network", "ipc", "uts", "mount"] | map({ type: . })) }
		} | '"$spec" -- "$@" >"$bundle/config.json"
	# not the function: its subshell would be one more process in every tree
	command runc --root "$WORK/runc" run --bundle "$bundle" --pid-file "$bundle/pid" "$id" </dev/null >"$bundle/said" 2>&1 &
	local shim=$!
	at_end "runc delete --force $id 2>/dev/null; wait $shim 2>/dev/null"
	await "the container's first process" container_runs "$bundle/pid" "$shim"
	[ -s "$bundle/pid" ] || no_containers "$bundle/said"
	CONTAINER_PID=$(cat "$bundle/pid")
	await "the container's first process" runs_or_dead "$CONTAINER_PID" "$1"
	! is_gone "$CONTAINER_PID" 2>/dev/null || fail "$NIGHT: the container ended at once: $(cat "$bundle/said")"
}
runs_or_dead() { runs "$1" "$2" || is_gone "$1"; }
container_runs() { [ -s "$1" ] || is_gone "$2"; }

# Where even an empty container does not start, none can be had here; else it is ours that is wrong.
no_containers() {
	if unshare --pid --net --ipc --uts --mount --fork true 2>/dev/null; then
		fail "$NIGHT: runc did not start the container: $(cat "$1")"
	fi
	skip no-containers "no namespaces can be made here: $(tail -n 1 "$1")"
}
