#!/bin/sh
# The cases of the corpus as TAP: see corpus.py. The corpus is looked for in $CDC_CORPUS, else in
# ../shared/corpus beside the project.
here=$(dirname "$0")
exec python3 -B "$here/corpus.py" ${CORPUS_TAP-"--tap"} "${BUILD:-build}/cdc-snapshot" "${CDC_CORPUS:-$here/../../../shared/corpus}"
