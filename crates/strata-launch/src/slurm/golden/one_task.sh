#!/bin/bash

# Parameters
#SBATCH --job-name=mlp
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output='/sweeps/it'"'"'s 100%%/.submitit/%j/%j_0_log.out'
#SBATCH --requeue
#SBATCH --signal=TERM@120
#SBATCH --time=60

# What the task leaves on disk: how it ended
strata_id="$SLURM_JOB_ID"
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

# command
strata_folder='/home/me/my study'
strata_resumable=
strata_task=(/opt/strata train model=mlp)
cd -- "$strata_folder" || exit
[ "$strata_ending" = ended ] || exit 143
strata_code=0
srun --unbuffered --output '/sweeps/it'"'"'s 100%%/.submitit/%j/%j_%t_log.out' "${strata_task[@]}" || strata_code=$?

# Queued again, if it was asked to stop
if [ "$strata_ending" = ended ] && [ "$strata_code" = "$strata_resumable" ]; then
    strata_ending=preempted
    if ((strata_limit_s > 0 && SECONDS >= 3420)); then strata_ending=timeout; fi
    strata_timeouts=$(grep -c '^timeout' "${strata_stem}_requeues" 2> /dev/null) || true
    if [ "$strata_ending" = preempted ] || [ "${strata_timeouts:-0}" -lt 0 ]; then
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
