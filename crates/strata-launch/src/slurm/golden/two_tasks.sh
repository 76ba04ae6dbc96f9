#!/bin/bash

# Parameters
#SBATCH --account=group
#SBATCH --array=0-1%1
#SBATCH --comment='for the #1 paper'
#SBATCH --constraint='a100&nvlink'
#SBATCH --cpus-per-gpu=8
#SBATCH --cpus-per-task=4
#SBATCH --error='/sweeps/it'"'"'s 100%%/.submitit/%A_%a/%A_%a_0_log.err'
#SBATCH --exclude='node[1-3]'
#SBATCH --exclusive
#SBATCH --gpus-per-node=1
#SBATCH --gpus-per-task=1
#SBATCH --gres=tmpdisk:10
#SBATCH --job-name='it'"'"'s a "sweep"'
#SBATCH --mail-type=END
#SBATCH --mem=16GB
#SBATCH --mem-per-cpu=2GB
#SBATCH --mem-per-gpu=8GB
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output='/sweeps/it'"'"'s 100%%/.submitit/%A_%a/%A_%a_0_log.out'
#SBATCH --partition=gpu
#SBATCH --qos=low
#SBATCH --signal=TERM@120
#SBATCH --time=2:00:00

# What the task leaves on disk: how it ended
strata_id="${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
strata_stem='/sweeps/it'"'"'s 100%/.submitit/'"$strata_id"/"$strata_id"_0
strata_limit_s=3600
strata_ending=ended
strata_leave() {
    trap - EXIT
    if [ "$strata_ending" = told ]; then
        strata_ending=cancelled
        if ((strata_limit_s > 0 && SECONDS >= strata_limit_s - 5)); then strata_ending=timeout; fi
    fi
    printf '%s %s\n' "$1" "$strata_ending" > "${strata_stem}_exit.new" &&
        mv -f -- "${strata_stem}_exit.new" "${strata_stem}_exit"
    exit "$1"
}
trap 'strata_leave $?' EXIT
# Only a job that has to end gets this, not one that is asked to stop and go on later
trap 'strata_ending=told' TERM
rm -f -- "${strata_stem}_exit"

# setup
module load gcc
set -u

# command
case $SLURM_ARRAY_TASK_ID in
0)
strata_folder='/home/me/my study'
strata_resumable=130
strata_task=(env 'RUST_LOG=strata=info, warn' /opt/strata train 'name='"'"'a b'"'"'' 'tags=[x,"y"]')
;;
1)
strata_folder='/home/me/my study'
strata_resumable=
strata_task=(/opt/strata train 'name=$HOME')
;;
esac
cd -- "$strata_folder" || exit
[ "$strata_ending" = ended ] || exit 143
strata_code=0
srun --unbuffered --output '/sweeps/it'"'"'s 100%%/.submitit/%A_%a/%A_%a_%t_log.out' --error '/sweeps/it'"'"'s 100%%/.submitit/%A_%a/%A_%a_%t_log.err' --cpus-per-task 4 -vv --cpu-bind none "${strata_task[@]}" || strata_code=$?

# Queued again, if it was asked to stop
if [ "$strata_ending" = ended ] && [ "$strata_code" = "$strata_resumable" ]; then
    strata_ending=preempted
    if ((strata_limit_s > 0 && SECONDS >= 3420)); then strata_ending=timeout; fi
    strata_timeouts=$(grep -c '^timeout' "${strata_stem}_requeues" 2> /dev/null) || true
    if [ "$strata_ending" = preempted ] || [ "${strata_timeouts:-0}" -lt 3 ]; then
        printf '%s %s\n' "$strata_ending" "$(date '+%Y-%m-%dT%H:%M:%S%z')" >> "${strata_stem}_requeues"
        for strata_pause in 0 2 5 10 20; do
            sleep "$strata_pause"
            strata_state=$(squeue --noheader --jobs="$strata_id" --format=%T) || continue
            if [ "$strata_state" != RUNNING ]; then
                strata_ending=told
                break
            fi
            if scontrol requeue "$strata_id"; then
                trap - EXIT
                exit 0
            fi
        done
    fi
fi
exit "$strata_code"
