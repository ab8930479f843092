# What people type. Everything is built once, with one profile and one set of features, so that
# the demo, the tests and an installed program share every compiled crate: always the whole
# workspace, never one package of it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CARGO ?= cargo
# The user's own folder by default: Atelier is a daemon of one user, and D-Bus and systemd look
# for units of a user there. For everybody: make install PREFIX=/usr/local
PREFIX ?= $(HOME)/.local
DESTDIR ?=
export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
RELEASE := $(CARGO_TARGET_DIR)/release
PLUGINS := $(CARGO_TARGET_DIR)/plugins
TOOLS := $(CARGO_TARGET_DIR)/tools
# Where those compilers are.
GUESTS := $(TOOLS)/guests/environment

.PHONY: help setup build guests plugins thunder demo test bench lint fuzz deny install uninstall clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## say what this machine lacks for building and testing, and install it
	@.ci/setup

build: setup ## build the program, the tests and the tools (the first time takes a while)
	$(CARGO) build --release --workspace --all-targets --locked

guests: setup ## fetch what builds plugins in Python and JavaScript
	@.ci/guests.sh

plugins: build guests ## build the first-party plugins to WebAssembly components
	source $(GUESTS) && ATELIER=$(RELEASE)/atelier plugins/build.sh

thunder: ## fetch the larger model for pose-from-photo and make it ONNX (needs npm)
	plugins/pose-from-photo/model/convert.py --model thunder

demo: build ## run the main job on the small model in this repository and show the picture
	@ATELIER=$(RELEASE)/atelier plugins/build.sh fit pose
	@ATELIER=$(RELEASE)/atelier PLUGINS=$(PLUGINS) tests/demo.sh

test: plugins ## pass the tests
	source $(GUESTS) && $(CARGO) test --release --workspace --locked

bench: build ## time a model's stages: make bench MODEL=FOLDER [PYTHON=… with diffusers] [ARGS=--references 1]
	@BENCH=$(RELEASE)/examples/bench MODEL="$(MODEL)" PYTHON="$(PYTHON)" tests/bench/run.sh $(ARGS)

lint: ## what .ci/run checks besides the tests
	.ci/run lint

# Seconds for each target of `make fuzz`.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := safetensors gguf lora manifest plugin
FUZZ := $(CARGO_TARGET_DIR)/fuzz
fuzz: ## look for files that break their readers, FUZZ_SECONDS each (default 60)
	@[ -x $(TOOLS)/bin/cargo-fuzz ] || { \
	    echo "Installing cargo-fuzz into $(TOOLS), from its crate"; \
	    $(CARGO) install --locked --quiet --version 0.13.1 --root $(TOOLS) cargo-fuzz; }
	for target in $(FUZZ_TARGETS); do \
	    mkdir -p $(FUZZ)/corpus/$$target; \
	    PATH="$(TOOLS)/bin:$$PATH" CARGO_TARGET_DIR=$(FUZZ) \
	        $(CARGO) fuzz run --sanitizer none --fuzz-dir fuzz $$target \
	        $(FUZZ)/corpus/$$target fuzz/seeds/$$target -- \
	        -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
	        -dict=fuzz/dictionaries/$$target.dict -print_final_stats=1; \
	done

deny: ## licences, advisories and sources of all dependencies (needs the network)
	@[ -x $(TOOLS)/bin/cargo-deny ] || { \
	    echo "Installing cargo-deny into $(TOOLS), from its crate"; \
	    $(CARGO) install --locked --quiet --version 0.20.2 --root $(TOOLS) cargo-deny; }
	PATH="$(TOOLS)/bin:$$PATH" $(CARGO) deny --workspace --locked check $(CHECKS)

install: plugins ## install for this user (PREFIX=~/.local), or for all with PREFIX=/usr/local
	install -Dm755 $(RELEASE)/atelier $(DESTDIR)$(PREFIX)/bin/atelier
	for file in config/dbus/*.xml; do \
	    install -Dm644 "$$file" -t $(DESTDIR)$(PREFIX)/share/dbus-1/interfaces; done
	install -d $(DESTDIR)$(PREFIX)/share/dbus-1/services $(DESTDIR)$(PREFIX)/share/systemd/user
	sed 's|/usr/bin/|$(PREFIX)/bin/|' config/dbus/org.atelier.Atelier1.service \
	    > $(DESTDIR)$(PREFIX)/share/dbus-1/services/org.atelier.Atelier1.service
	sed 's|/usr/bin/|$(PREFIX)/bin/|' config/systemd/atelier.service \
	    > $(DESTDIR)$(PREFIX)/share/systemd/user/atelier.service
	for plugin in $(PLUGINS)/*/; do \
	    install -Dm644 "$$plugin"plugin.* -t $(DESTDIR)$(PREFIX)/share/atelier/plugins/$$(basename "$$plugin"); done
	install -Dm644 plugins/*/model/*.onnx -t $(DESTDIR)$(PREFIX)/share/atelier/models
	@echo "installed in $(DESTDIR)$(PREFIX); start it with: systemctl --user daemon-reload;" \
	    "systemctl --user enable --now atelier"

uninstall: ## remove what install put there; pictures, keys and models stay
	rm -f $(DESTDIR)$(PREFIX)/bin/atelier
	rm -f $(DESTDIR)$(PREFIX)/share/dbus-1/interfaces/org.atelier.Atelier1.*.xml
	rm -f $(DESTDIR)$(PREFIX)/share/dbus-1/services/org.atelier.Atelier1.service
	rm -f $(DESTDIR)$(PREFIX)/share/systemd/user/atelier.service
	for model in plugins/*/model/*.onnx; do rm -f $(DESTDIR)$(PREFIX)/share/atelier/models/$$(basename "$$model"); done
	for plugin in plugins/*/; do rm -rf $(DESTDIR)$(PREFIX)/share/atelier/plugins/$$(basename "$$plugin"); done

clean: ## remove everything built here
	$(CARGO) clean
