#!/usr/bin/env bash
# Watches the sample clip, then asks three questions: about something said, something seen, and something that is not
# there. The memory stays in build/demo, so a second run answers at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
streammem=.venv/bin/streammem
memory=build/demo

say() { printf '\n$ streammem %s\n' "$*"; }
say ingest demos/sample/street_talk.mp4 --memory $memory
"$streammem" ingest demos/sample/street_talk.mp4 --memory "$memory"
for question in \
  "What was said about being cold hearted?" \
  "When did a bird appear?" \
  "When did a dog appear?"; do
  say "ask \"$question\" --memory $memory"
  "$streammem" ask "$question" --memory "$memory"
done
