#!/usr/bin/env bash
# Makes the pictures of README: starts the playground, opens its page in headless Chromium, and
# writes docs/playground.*.png (the page) and docs/chats.*.png (a message in the other chats), in
# Chinese and English. Needs chromium, chromedriver, fonts and pngquant (Debian: chromium,
# chromium-driver, fonts-noto-cjk, fonts-noto-color-emoji, pngquant).
set -euo pipefail
cd "$(dirname "$0")/.."
export PLAYGROUND_SCREENSHOTS="$PWD/docs" PLAYGROUND_BROWSER=required
cargo test --locked --quiet --test it -- --ignored --exact \
  playground::page::screenshots playground::chat_page::screenshots
# 256 colours are enough for a page, and a third of the bytes.
pngquant --force --ext .png --speed 1 --nofs 256 docs/*.png
ls -l docs/*.png
