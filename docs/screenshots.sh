#!/usr/bin/env bash
# Makes the pictures of README: starts the playground, opens its page in headless Chromium, and
# writes docs/playground.zh.png and docs/playground.en.png. Needs chromium, chromedriver and fonts (Debian:
# chromium, chromium-driver, fonts-noto-cjk, fonts-noto-color-emoji).
set -euo pipefail
cd "$(dirname "$0")/.."
export PLAYGROUND_SCREENSHOTS="$PWD/docs" PLAYGROUND_BROWSER=required
cargo test --locked --quiet --test it -- --ignored --exact playground::page::screenshots
ls -l docs/playground.*.png
