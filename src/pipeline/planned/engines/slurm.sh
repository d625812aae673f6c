#!/bin/sh
# Submits this run to Slurm: for each round a job array of its shards, then a job that merges
# them. May be submitted again after any failure: what is there is not computed again.
#
#   TROMPE          the program, on every node     (trompe)
#   CPUS            processors of a shard          (1)
#   SBATCH_OPTIONS  for every job, such as "--partition=short --time=1:00:00"
#
# The folder must be on a disk that all nodes share, as must the bank of loops.
set -eu
cd "$(dirname "$0")"
: "${TROMPE:=trompe}" "${CPUS:=1}" "${SBATCH_OPTIONS:=}"
rounds=@ROUNDS@
shards=@SHARDS@

# The program as one word of the jobs' shell, whatever is in its path.
program="'$(printf '%s' "$TROMPE" | sed "s/'/'\\\\''/g")'"

# Prints the job's number. With several clusters, sbatch prints it as NUMBER;CLUSTER.
submit() {
    # shellcheck disable=SC2086
    job=$(sbatch --parsable --requeue --kill-on-invalid-dep=yes --cpus-per-task="$CPUS" \
        --output=rounds/slurm-%j.log $SBATCH_OPTIONS "$@")
    printf '%s\n' "${job%%;*}"
}

mkdir -p rounds
round=0
after=
while [ "$round" -lt "$rounds" ]; do
    # A shard that could not be computed is left to the merge, which fills it in.
    array=$(submit $after --array="0-$((shards - 1))" --job-name="shards-$round" --wrap \
        "exec $program --quiet --threads $CPUS fool shard .@MODEL@ --round $round --shard \$SLURM_ARRAY_TASK_ID")
    merge=$(submit --dependency="afterany:$array" --job-name="merge-$round" --wrap \
        "exec $program --quiet --threads $CPUS fool merge .@MODEL@ --round $round --fill")
    echo "round $round: array $array, merge $merge"
    after=--dependency=afterok:$merge
    round=$((round + 1))
done
