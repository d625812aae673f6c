#!/bin/sh
# Runs this run with GNU parallel, on this machine or on several over ssh. May be started
# again after any failure: what is there is not computed again.
#
#   TROMPE  the program, on every machine                       (trompe)
#   JOBS    shards at once on each machine                      (one a processor)
#   NODES   machines, as GNU parallel's --sshlogin takes them, such as "lab1,lab2,:"
#
# With NODES, the folder must be on a disk that all machines share, under the same path.
set -eu
cd "$(dirname "$0")"
: "${TROMPE:=trompe}" "${JOBS:=100%}" "${NODES:=:}"
rounds=@ROUNDS@
shards=@SHARDS@

round=0
while [ "$round" -lt "$rounds" ]; do
    # A shard that fails three times is left to the merge, which fills it in.
    seq 0 "$((shards - 1))" | parallel --will-cite --jobs "$JOBS" --retries 3 \
        --sshlogin "$NODES" --workdir "$PWD" --quote \
        "$TROMPE" --quiet --threads 1 fool shard .@MODEL@ --round "$round" --shard || true
    "$TROMPE" --quiet fool merge .@MODEL@ --round "$round" --fill
    round=$((round + 1))
done
