#!/usr/bin/env bash
# A planned run on a real Slurm of a head and two nodes. One node is killed in mid-run, then
# the controller, which is started again; what the run writes in the end must be what one
# process writes alone. Needs root, slurm-wlm, munge and iproute2; leaves nothing behind.
#
#   usage: tests/cluster/slurm.sh PROGRAM
set -euo pipefail
. "$(dirname "$0")/machines.sh"
export SLURM_CONF=$work/slurm.conf

dd if=/dev/urandom of="$work/munge.key" bs=1024 count=1 status=none
chmod 400 "$work/munge.key"
munged --force --key-file="$work/munge.key" --socket="$work/munge.socket" \
    --pid-file="$work/munged.pid" --log-file="$work/munged.log" --seed-file="$work/munge.seed" \
    >/dev/null 2>&1
# A job of a lost node waits until its credential has expired: 2 minutes, if nothing is said.
# A job counts as missing on its node after BatchStartTimeout and MessageTimeout together.
cat >"$SLURM_CONF" <<CONF
ClusterName=trompe
SlurmctldHost=head(10.77.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool-%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd-%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
BatchStartTimeout=2
MessageTimeout=5
SchedulerParameters=sched_interval=5,bf_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
NodeName=n1 NodeAddr=10.77.0.2 CPUs=1
NodeName=n2 NodeAddr=10.77.0.3 CPUs=1
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF
mkdir "$work/state"
start_on head slurmctld -D
start_on n1 slurmd -D -N n1
start_on n2 slurmd -D -N n2
idle() { [ "$(on head sinfo --noheader --states=idle --format=%D)" = 2 ]; }
wait_for 60 idle
say "$(on head sinfo --version), 2 nodes idle"

plan slurm shared
on head shared/submit-slurm.sh
on_n1() { on head squeue --noheader --states=running --nodelist=n1 --format=%i | grep .; }
wait_for 120 on_n1
say "killing node n1, which computes $(on_n1)"
kill_host n1
wait_for 120 shards 3
say "killing the controller with $(find shared/rounds -name 'shard-*.json' | wc -l) shards done"
kill -9 "$(cat slurmctld.pid)"
sleep 2
start_on head slurmctld -D
down() { on head sinfo --noheader --states=down --format=%D | grep -q 1; }
wait_for 120 down
# The controller's last seconds were never saved: it takes a job that ended meanwhile for running
# until the nodes are asked what they run, by themselves after five minutes; and it starts one that
# already ran a second time, for which Slurm drains the node and holds the job. So an administrator
# looks after it now and then (not too often: whoever is asked anew counts as answering for a while).
attend() {
    on head scontrol reconfigure
    if on head sinfo --noheader --states=drain --format=%N | grep -q n2; then
        on head scontrol update nodename=n2 state=resume
        drained=", n2 resumed after it was drained"
    fi
    on head squeue --noheader --states=pending --format='%i %r' |
        awk '/held/ { print $1 }' | while read -r job; do on head scontrol release "$job"; done
}
drained=
report() { [ -f shared/report.json ]; }
until report; do
    [ "$SECONDS" -lt 400 ] || wait_for 0 report
    attend || true
    for _ in $(seq 20); do report || sleep 1; done
done
say "finished$drained; of the node: $(grep -hi 'requeue\|not responding' slurmctld.log | head -n 1)"
compare
