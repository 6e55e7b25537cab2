#!/bin/sh
# The steps of the Dockerfile, in a fresh environment:
#
#   sh tools/fresh.sh                  install into a new folder, and check
#   sh tools/fresh.sh install FOLDER   a virtual environment with this checkout, torch without CUDA
#   sh tools/fresh.sh check FOLDER     version, help, a fit from the command, its prediction, its score
#
# PYTHON names the interpreter that the environment is made by, 3.11 or newer.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python=${PYTHON:-python3}

install() {
    "$python" -m venv "$1"
    "$1/bin/python" "$here/tools/install.py" --extras "${EXTRAS-images,rules}"
}

check() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    cd "$scratch"
    tutelage="$1/bin/tutelage"
    "$tutelage" --version
    "$tutelage" --help > /dev/null
    "$1/bin/python" - << 'END'
import csv

food, sport = ("soup", "bread", "cheese", "salad"), ("goal", "match", "coach", "league")
with open("labelled.csv", "w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(("text", "label"))
    for label, words in (("food", food), ("sport", sport)):
        rows.writerows((f"the {a} and then the {b}", label) for a in words for b in words if a != b)
END
    "$tutelage" fit supervised --train labelled.csv --text text --label label --encoder lexical --steps 20 \
        --folds 2 --repeats 1 --out run --quiet
    "$tutelage" config run --output run.toml
    "$tutelage" predict run --input labelled.csv --output predicted.csv --quiet
    "$tutelage" score run --test labelled.csv --json
    test -s run/report.html && test -s run/model/README.md && test -s predicted.csv && test -s run.toml
    cd "$here"
}

case "${1-}" in
    install) install "$2" ;;
    check) check "$2" ;;
    "")
        folder=$(mktemp -d)/tutelage
        start=$(date +%s)
        install "$folder"
        check "$folder"
        echo "Tutelage is in $folder; $(($(date +%s) - start)) seconds."
        ;;
    *)
        echo "Error: a step is install or check, got $1" >&2
        exit 2
        ;;
esac
