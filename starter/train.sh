#!/usr/bin/env bash
# Trains the whole model, exports it and measures it: each part goes on from its last checkpoint, so start
# this again after whatever stopped it.
#
#   [PYTHON=venv/bin/python] [TEAM=2] starter/train.sh ICONS RUN MODEL
#
# ICONS is what data.py made, RUN keeps checkpoints and a log, MODEL becomes the pipeline folder. TEAM is how
# many cores train the transformer. Minutes are of processor time.
set -euo pipefail

icons=${1:?names the folder that data.py made}
run=${2:?names the folder for checkpoints}
model=${3:?names the folder that the model is written to}
python=${PYTHON:-python}
here=$(cd "$(dirname "$0")" && pwd)
export OMP_NUM_THREADS=1

"$python" "$here/vae.py" "$icons" "$run" --minutes 12
# A quarter of each picture at a time while the things are learnt, all of it to settle.
"$python" "$here/train.py" "$icons" "$run" --team "${TEAM:-2}" --until 66
whole=(--kept 256 --padding 24)
"$python" "$here/train.py" "$icons" "$run" --team "${TEAM:-2}" "${whole[@]}" --batch 10 --until 82
# Then mostly two and three side by side, which are learnt last.
"$python" "$here/train.py" "$icons" "$run" --team "${TEAM:-2}" "${whole[@]}" --batch 8 \
    --minutes 150 --until 143 --muon 4e-3 --mix 3 1 0.5 0.3 5 2 1
"$python" "$here/export.py" "$run" "$model"
"$python" "$here/measure.py" "$icons" "$model" "$run/measured.json"
"$python" "$here/sheet.py" "$model" "$run/sheet.png"
