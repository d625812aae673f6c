# Three machines in one: the network namespaces `head`, `n1` and `n2` on a bridge, gone when
# the script that sources this ends. Needs root and iproute2; the machines share the folder
# `$work`.

program=$(realpath "$1")
work=$(mktemp -d /tmp/trompe-cluster-XXXXXX)
chmod 755 "$work"
tag=t$$

cleanup() {
    for space in head n1 n2; do
        kill_host "$space" || true
        ip netns del "$tag-$space" 2>/dev/null || true
    done
    ip link del "$tag" 2>/dev/null || true
    [ -f "$work/munged.pid" ] && kill "$(cat "$work/munged.pid")" 2>/dev/null || true
    # What was killed may still be writing: munged leaves its seed behind when it ends.
    wait_for 10 rm -rf "$work"
}
trap cleanup EXIT

say() { echo "$SECONDS s: $*"; }

# Kills all that runs on the host `$1`, as if its power were cut.
kill_host() { ip netns pids "$tag-$1" 2>/dev/null | xargs -r kill -9 2>/dev/null; }

# Runs `$2...` on the host `$1`.
on() {
    local host=$1
    shift
    nsenter --net="/run/netns/$tag-$host" "$@"
}

# Starts `$2...` on the host `$1`, in the background and under its name. (`ip netns exec`
# would hide the control groups that slurmd looks for.)
start_on() {
    local host=$1
    shift
    on "$host" unshare -u sh -c 'hostname "$0"; exec "$@"' "$host" "$@" >>"$work/$host.out" 2>&1 &
    disown
}

# Waits up to `$1` seconds for the command `$2...` to succeed.
wait_for() {
    local left=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        if [ "$left" -le 0 ]; then
            echo "gave up waiting for: $*" >&2
            tail -n 20 "$work"/*.log "$work"/*.out >&2 || true
            exit 1
        fi
        sleep 0.2
    done
}

# Plans the run that all tests share as `$work/$2`, for the engine `$1`.
plan() {
    "$program" --quiet fool plan model.safetensors --bank synthetic-loops --budget 1800 \
        --rounds 2 --shards 6 --threshold 0.99 --engine "$1" --out "$2" >/dev/null
}

# At least `$1` shards are there.
shards() { [ "$(find shared/rounds -name 'shard-*.json' | wc -l)" -ge "$1" ]; }

# Compares what the machines wrote with what one process did.
compare() {
    rm -rf shared/submit-slurm.sh shared/run-ray.py shared/rounds/slurm-*.log
    diff -r serial shared
    echo "archive.json of one process: $(sha256sum <serial/archive.json)"
    echo "archive.json of the cluster: $(sha256sum <shared/archive.json)"
    say "identical: $(find shared -type f | wc -l) files"
}

ip link add "$tag" type bridge
ip link set "$tag" up
address=1
for space in head n1 n2; do
    ip netns add "$tag-$space"
    ip link add "$tag$address" type veth peer name eth0 netns "$tag-$space"
    ip link set "$tag$address" master "$tag" up
    ip -n "$tag-$space" addr add "10.77.0.$address/24" dev eth0
    ip -n "$tag-$space" link set eth0 up
    ip -n "$tag-$space" link set lo up
    address=$((address + 1))
done

cd "$work"
export TROMPE=$program
"$program" --quiet train synthetic --rounds 60 >/dev/null
plan local serial
"$program" --quiet fool --resume serial >/dev/null
say "one process is done"
