# The commands of the project. Each of these explains itself while it runs.
.DEFAULT_GOAL := help
.PHONY: help demo demo-clean test test-hosts bench check

help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## A running farm on this machine, with programs and users (Ctrl+C stops it)
	@scripts/run demo

demo-clean: ## Remove the demo's data directory and its accounts
	@scripts/run demo-clean

test: ## Install what the tests need and run all of them
	@scripts/run test

test-hosts: ## Run the agent's tests on xrdp 0.10 and with systemd, on Debian 12 and 13 (minutes; needs root or sudo)
	@scripts/run hosts

bench: ## Measure: sign-ins and launches, relay, memory, time to the first picture
	@scripts/run bench

check: ## The quick round while working: format, lints, unit tests
	@scripts/run check
