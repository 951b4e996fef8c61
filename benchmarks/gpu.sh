#!/usr/bin/env bash
# Everything that there is to check and to measure on a CUDA machine that has torch, numpy and safetensors, in under nine
# minutes: whether the card computes what the processor does, with two processes on it and with little memory too, and the
# benchmarks of scouts, fits of episodes and pre-training.
#
#   benchmarks/gpu.sh [FOLDER] [--quick | --tiny]
#
# Writes FOLDER/gpu_NAME.json (benchmarks/results if not given) with date, machine and commit, and what was printed to
# FOLDER/gpu_NAME.log. Ends with status 0 only if every part ended in time, its results equal; a bar of speed that was
# missed is told, and is no failure. PYTHON names the interpreter.
set -u
cd "$(dirname "$0")/.."
folder=benchmarks/results quick= slack=1 scouts= fits= networks="--rounds 2 --steps 200"
for argument in "$@"; do
  case $argument in
    --quick) quick=--quick ;;
    --tiny) # whether everything runs, not how fast
      quick=--quick slack=10 scouts="--genes 60 --scouts 2" fits="--genes 60 --fits 1"
      networks="--samples 400 --genes 100 --batch 64 --rounds 1 --steps 150" ;;
    *) folder=$argument ;;
  esac
done
python=${PYTHON:-python3}
mkdir -p "$folder"
$python -c 'import torch; assert torch.cuda.is_available()' || { echo "torch finds no CUDA device" >&2; exit 2; }
failed=0

# part NAME SECONDS SCRIPT [ARGUMENTS]
part() {
  local name=$1 seconds=$2 status
  shift 2
  echo "== $name"
  timeout $((seconds * slack)) $python "$@" --device cuda $quick >"$folder/gpu_$name.log" 2>&1
  status=$?
  tail -n 25 "$folder/gpu_$name.log"
  tail -n 1 "$folder/gpu_$name.log" | $python benchmarks/tools/keep_gpu.py "$folder/gpu_$name.json" || failed=1
  [ $status -eq 124 ] && { echo "$name did not end within $seconds s" >&2; failed=1; }
}

part checks 120 benchmarks/tools/gpu_checks.py
part scouts 60 benchmarks/scouts.py $scouts
part fewshot 120 benchmarks/fewshot.py $fits
part pretrain 220 benchmarks/pretrain.py $networks
exit $failed
