# Every target sets the checkout up first, which is quick when there is nothing to do. `make help`
# lists them.
.DEFAULT_GOAL := help
.PHONY: help setup tiny appliance fixpoint test test-boot test-appliance lint boot bench clean

# What npm has installed here goes first: the same as npx, without its start.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
VITEST := vitest run --config test/vitest.config.ts
IMAGE ?= out/tiny.img

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' Makefile \
		| while IFS='|' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

setup: ## install what the host and the checkout need, compile the engine
	@.ci/setup

tiny: setup ## build the image "tiny" into out/
	fixpoint build tiny

appliance: setup ## build the image "appliance" into out/
	fixpoint build appliance

fixpoint: appliance ## the appliance rebuilds itself twice; all three images must be the same bytes
	@# An interrupted run goes on: the record is written when an image is whole.
	test -e out/1/appliance.json && cmp -s out/appliance.img out/1/appliance.img \
		|| fixpoint rebuild --image out/appliance.img --output out/1
	fixpoint rebuild --image out/1/appliance.img --output out/2
	sha256sum out/appliance.img out/1/appliance.img out/2/appliance.img
	cmp out/appliance.img out/1/appliance.img
	cmp out/1/appliance.img out/2/appliance.img
	@rm -r out/1 out/2 # else the next time the first rebuild would count as done

test: setup ## unit and integration tests; boot tests of the images that the store holds
	$(VITEST) --project unit --project integration --project boot

test-boot: tiny ## build tiny if need be and boot it in every way
	$(VITEST) --project boot

test-appliance: appliance ## test the appliance: its own Node, and builds in it; takes long
	test/proof/own-node.sh
	$(VITEST) --project appliance

lint: setup ## types, rules, format, folders, dead files, shell scripts, recipes
	tsc
	eslint --config .ci/eslint.config.js .
	prettier --check --log-level warn .
	depcruise --config .dependency-cruiser.cjs src qemu test
	knip
	@# Shell scripts: by their first line, wherever they are, and what they share.
	find .ci appliance layers test -type f \
		-exec awk 'FNR == 1 && (/^#!.*sh$$/ || FILENAME ~ /\.sh$$/) { print FILENAME }' {} + \
		| xargs shellcheck --external-sources --source-path=SCRIPTDIR
	fixpoint lint

# Only the default is built: another image is there, or the command says that it is not.
boot: $(if $(filter out/tiny.img,$(IMAGE)),tiny,setup) ## boot tiny here; IMAGE=file boots another
	fixpoint boot $(IMAGE)

bench: setup ## measure the engine's figures of docs/benchmarks.md
	node dist/test/bench/main.js

clean: ## remove what was compiled and built here; the store stays
	rm -rf dist out coverage
