#!/usr/bin/env bash
# A planned run on a real Ray cluster of a head and two workers, of which one is killed in
# mid-run; what the run writes in the end must be what one process writes alone. Needs root,
# iproute2, and an environment with `pip install ray`; leaves nothing behind.
#
#   usage: tests/cluster/ray.sh PROGRAM ENVIRONMENT
set -euo pipefail
ray=$(realpath "$2")/bin
. "$(dirname "$0")/machines.sh"
export RAY_USAGE_STATS_ENABLED=0 RAY_TMPDIR=$work/ray

start_on head "$ray/ray" start --head --block --node-ip-address=10.77.0.1 --port=6379 \
    --num-cpus=0 --include-dashboard=false
ready() { on head "$ray/ray" status --address=10.77.0.1:6379 | grep -E "/$1.0 CPU"; }
up() { on head "$ray/ray" status --address=10.77.0.1:6379; }
wait_for 120 up
start_on n1 "$ray/ray" start --block --address=10.77.0.1:6379 --node-ip-address=10.77.0.2 --num-cpus=1
start_on n2 "$ray/ray" start --block --address=10.77.0.1:6379 --node-ip-address=10.77.0.3 --num-cpus=1
wait_for 120 ready 2
say "$("$ray/ray" --version), 2 workers ready"

plan ray shared
on head env RAY_ADDRESS=10.77.0.1:6379 "$ray/python" shared/run-ray.py >driver.log 2>&1 &
driver=$!
wait_for 200 shards 2
say "killing n1 with $(find shared/rounds -name 'shard-*.json' | wc -l) shards done"
kill_host n1
wait "$driver"
say "finished"
compare
