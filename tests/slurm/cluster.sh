#!/usr/bin/env bash
# A SLURM cluster of one node on this machine, for tests of profiles/slurm: `cluster.sh start` and `cluster.sh stop`. A job
# that holds more memory than it asked for is killed.
# Needs root and Debian's packages: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge
set -euo pipefail

node=$(hostname -s)
state=/var/spool/scarceseq_slurm

start() {
  mkdir -p /run/munge "$state/controller" "$state/node"
  chown munge:munge /run/munge
  pgrep -x munged > /dev/null || runuser -u munge -- /usr/sbin/munged
  # not nproc: it tells OMP_NUM_THREADS where that is set, and jobs of two processors would wait for ever
  cat > /etc/slurm/slurm.conf <<CONF
ClusterName=scarceseq
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/node
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$state/jobs.log
SchedulerParameters=sched_interval=1,bf_interval=2
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(getconf _NPROCESSORS_ONLN) RealMemory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo) State=UNKNOWN
PartitionName=main Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF
  slurmctld
  slurmd
  for _ in $(seq 30); do
    [ "$(sinfo --noheader --format=%T 2> /dev/null)" = idle ] && return
    sleep 1
  done
  sinfo
  echo "the node did not become idle within 30 s; see /var/log/slurm" >&2
  return 1
}

stop() {
  scancel --user=root 2> /dev/null || true
  pkill -x slurmd || true
  pkill -x slurmctld || true
  for _ in $(seq 30); do # while they write their state, their folder cannot be removed
    pgrep -x slurmd > /dev/null || pgrep -x slurmctld > /dev/null || break
    sleep 1
  done
  rm -rf "$state"
}

case ${1:-} in
  start | stop) "$1" ;;
  *) echo "usage: $0 start|stop" >&2; exit 2 ;;
esac
