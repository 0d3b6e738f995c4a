# The commands of this project. `make setup` brings everything the others need and takes about a second when done.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
HELLO := examples/hello
SHOP := examples/shop
EXAMPLES := $(HELLO)/.venv/.installed $(SHOP)/.venv/.installed
SOURCES := curtainup components stacks acceptance

# Python that is not kept compiled costs seconds in every run.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-cloud-run demo-beanstalk demo-kubernetes demo-shop cluster cluster-down test test-all test-kubernetes fuzz lint
.PHONY: bench bench-profile cloud-check test-lowest

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 21

setup: $(INSTALLED) ## Python packages, the Pulumi engine, Docker and the base images
	@$(BIN)/python -m compileall -q $(SOURCES)
	@$(BIN)/curtainup doctor --fix

demo: setup $(HELLO)/.venv/.installed ## Take examples/hello from source to live
	@HELLO_SECRET="$${HELLO_SECRET:-break a leg}" $(BIN)/curtainup deploy $(HELLO) --dirty

demo-cloud-run: setup $(HELLO)/.venv/.installed ## Rehearse examples/hello on Cloud Run, without an account
	@HELLO_SECRET="$${HELLO_SECRET:-break a leg}" $(BIN)/curtainup rehearse $(HELLO) --config cloud-run --dirty

demo-beanstalk: setup $(HELLO)/.venv/.installed ## Rehearse examples/hello on Elastic Beanstalk, without an account
	@HELLO_SECRET="$${HELLO_SECRET:-break a leg}" $(BIN)/curtainup rehearse $(HELLO) --config beanstalk --dirty

demo-kubernetes: setup $(HELLO)/.venv/.installed ## Take examples/hello live on a Kubernetes cluster: see `make cluster`
	@HELLO_SECRET="$${HELLO_SECRET:-break a leg}" $(BIN)/python -m cluster_demo $(ON_CLUSTER)

demo-shop: setup $(SHOP)/.venv/.installed ## Take examples/shop live, with PostgreSQL and Redis; TARGET=kubernetes: on a cluster
	@$(BIN)/python -m shop_demo --target "$(or $(TARGET),docker)" $(ON_CLUSTER)

# Which cluster the demos use, and how.
ON_CLUSTER = $(if $(CONTEXT),--context "$(CONTEXT)") $(if $(DOCKER_REPO),--docker-repo "$(DOCKER_REPO)") \
	$(if $(GATEWAY_CLASS),--gateway-class "$(GATEWAY_CLASS)")

cluster: setup ## A Kubernetes cluster to try on: KUBECONFIG's, kind's, k3d's, or one that is built first
	@$(BIN)/python -m curtainup.setup.cluster up

cluster-down: $(INSTALLED) ## Stop the clusters that `make cluster` and `make demo-kubernetes` have started
	@$(BIN)/python -m curtainup.setup.cluster down

lint: $(INSTALLED) ## Lint, format, the order of the rooms, and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy $(SOURCES) offline tests benchmarks cloud_check cluster_demo shop_demo

# Two at a time, as each end-to-end test has an engine, containers and a pytest of its own.
PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder --durations 20

test: setup lint $(EXAMPLES) ## What CI checks: lint, types and tests that show each claim once
	$(PYTEST) -m 'not matrix and not kubernetes'

test-all: setup lint $(EXAMPLES) ## The same with every case of every matrix, in twice the time
	$(PYTEST)

# What calls the clouds, and what judges that, needs no Docker and no engine.
LOWEST := .venv-lowest
CLOUDS := tests/test_lowest.py tests/targets/beanstalk tests/targets/cloud_run tests/components/beanstalk \
	tests/components/cloud_run tests/platforms/test_amazon.py tests/platforms/google tests/rehearsal/test_refusals.py \
	tests/rehearsal/aws/test_shapes.py tests/rehearsal/aws/beanstalk/test_options.py tests/rehearsal/aws/test_judged_by_moto.py

test-lowest: ## The same of the clouds alone, with the lowest SDKs that are allowed
	@$(PYTHON) -m venv $(LOWEST)
	@$(LOWEST)/bin/pip install --quiet --disable-pip-version-check --constraint constraints-lowest.txt \
		--editable '.[aws,gcp,kubernetes]' google-cloud-run 'moto[s3]' pytest pytest-timeout pytest-xdist hypothesis psutil
	$(LOWEST)/bin/pytest $(CLOUDS)

# One at a time, as all share one cluster.
test-kubernetes: setup ## Tests on a Kubernetes cluster, which is built first: half an hour, once per version
	$(BIN)/curtainup doctor --cluster --fix
	$(BIN)/pytest --durations 20 -m kubernetes

fuzz: setup ## What curtainup reads from others: 10,000 inputs for each parser
	$(BIN)/pytest -m fuzz --hypothesis-profile fuzz --numprocesses 2 --timeout 7200

bench: setup ## Measure, side by side with a plain script and with Pulumi's usual calls
	$(BIN)/python -m benchmarks

bench-profile: setup ## Show where the time of a deployment, a no-op, a rollback and a preview goes
	$(BIN)/python -m benchmarks --profile

cloud-check: setup $(HELLO)/.venv/.installed ## On a real account: TARGET=cloud-run PROJECT=… or TARGET=beanstalk
	$(BIN)/python -m cloud_check --target "$(TARGET)" $(if $(PROJECT),--project "$(PROJECT)") \
		$(if $(REGION),--region "$(REGION)")

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || apt-get install --yes python3-venv
	$(PYTHON) -m venv $(VENV)

# Python compiles what it imports; all of the clouds' SDKs would take minutes.
$(INSTALLED): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile \
		--constraint constraints.txt --editable '.[dev]'
	@touch $@

# The services' own environments, as their tests are run by their Python, not by ours.
%/.venv/.installed: %/requirements.txt %/requirements-test.txt
	$(PYTHON) -m venv $*/.venv
	$*/.venv/bin/pip install --quiet --disable-pip-version-check -r $*/requirements-test.txt
	@touch $@
