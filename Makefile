# Everything that people, hooks and CI run. `make` alone lists the commands.
.DEFAULT_GOAL := help
.PHONY: help demo demo-reset docs screenshots lint test test-all test-postgres compose-test chaos chaos-mutants bench bench-history requirements browser
.PHONY: environment-runtime environment-test lint-types lint-rest

# with this variable, which many build machines set, each of hundreds of processes compiles every module again
unexport PYTHONDONTWRITEBYTECODE

# one more than a small machine has processors, because many tests wait
PYTEST_ARGS ?= -n 3 --dist loadfile --no-loadscope-reorder
ENV_PYTHON := .venv/bin/python
# what runs docker-compose.yml: `docker compose`, podman-compose, or the like
COMPOSE ?= docker compose
# the databases of the long fault runs: both, sqlite or postgres
DATABASE ?= both

# Skip a python3 that only prints an error (a version manager's stub) or cannot create environments.
FIND_PYTHON = python=; \
	for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
		if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
			>/dev/null 2>&1 </dev/null; then python="$$candidate"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Found no working Python 3.11 or newer that can create environments."; \
		echo "Install one (on Debian and Ubuntu with python3-venv), or pass its path: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; \
		exit 1; \
	fi

# pages name the static files by their hashes
COLLECT_STATIC = DJANGO_SETTINGS_MODULE=tests.settings $(ENV_PYTHON) manage.py collectstatic --no-input --verbosity 0

PIP_INSTALL = -m pip install -qq --disable-pip-version-check --no-input

help:
	@echo "make demo           start everything on this machine and print a link that opens it (Ctrl-C stops it)"
	@echo "                    make demo DEMO_NODES=5 has five nodes to set up, not three"
	@echo "make demo-reset     delete all data of the demo"
	@echo "make test           run lint, types, rules and all tests but the slow ones, as CI does"
	@echo "make test-all       run every test, and measure the coverage"
	@echo "make test-postgres  start a PostgreSQL server and run all tests on it"
	@echo "make compose-test   test the containers with a browser, kill each once (COMPOSE=podman-compose)"
	@echo "make chaos          run the long fault tests, on SQLite and PostgreSQL (DATABASE=sqlite, CHAOS_SEED=…, CHAOS_ROUNDS=6)"
	@echo "make chaos-mutants  break a copy of the code in every way that breakages.py lists, and check that a test fails"
	@echo "make bench          measure response times and load, and compare them with common alternatives"
	@echo "make bench-history  fill a database with a million attempts, and measure every page over them"
	@echo "make docs           write the pages in docs/ that are generated from the code"
	@echo "make screenshots    take pictures of every page, to var/screenshots/ and for the README"
	@echo "make requirements   pin requirements/*.txt from requirements/*.in"

demo: environment-runtime
	@exec $(ENV_PYTHON) -m setup_wizard.project.demo

demo-reset:
	@if [ -e .venv/installed-runtime.txt ]; then exec $(ENV_PYTHON) -m setup_wizard.project.demo reset; \
	else rm -rf var/demo; fi

docs: environment-runtime
	$(ENV_PYTHON) -m docs.generate

screenshots: environment-test browser
	$(ENV_PYTHON) -m docs.screenshots
	$(ENV_PYTHON) -m docs.first_cluster

lint: lint-types lint-rest

lint-types: environment-test
	$(ENV_PYTHON) -m mypy

lint-rest: environment-test
	$(ENV_PYTHON) -m ruff check
	$(ENV_PYTHON) -m ruff format --check
	$(ENV_PYTHON) -c 'from importlinter.cli import lint_imports_command as check; check()'
	DJANGO_SETTINGS_MODULE=tests.settings $(ENV_PYTHON) manage.py makemigrations --check --dry-run

# the type checker uses one processor, and the installation of the browser mostly waits
test: environment-test
	@$(MAKE) --no-print-directory --jobs 3 lint browser
	$(ENV_PYTHON) -m pytest $(PYTEST_ARGS) -m "not slow" --ignore=tests/fuzz

test-all: lint browser
	$(ENV_PYTHON) -m pytest $(PYTEST_ARGS) --cov --cov-report=term

test-postgres: environment-test browser
	$(ENV_PYTHON) -m tests.postgres $(PYTEST_ARGS)

compose-test: environment-test browser
	@if ! $(COMPOSE) version >/dev/null 2>&1; then \
		echo "Found no container engine: \`$(COMPOSE) version\` fails. Name one: make compose-test COMPOSE=podman-compose"; \
		exit 1; \
	fi
	COMPOSE="$(COMPOSE)" $(ENV_PYTHON) -m pytest tests/deploy

# Most of the time is waiting, so run more processes than there are processors.
chaos: environment-test browser
	@export CHAOS=1 CHAOS_SEED="$(CHAOS_SEED)" CHAOS_ROUNDS="$(CHAOS_ROUNDS)"; \
	case "$(DATABASE)" in \
		sqlite) CHAOS_DATABASES=sqlite $(ENV_PYTHON) -m pytest -n 3 --dist worksteal tests/faults;; \
		postgres) CHAOS_DATABASES=postgres $(ENV_PYTHON) -m tests.postgres -n 3 --dist worksteal tests/faults;; \
		both) CHAOS_DATABASES=sqlite,postgres $(ENV_PYTHON) -m tests.postgres -n 3 --dist worksteal tests/faults;; \
		*) echo "DATABASE must be both, sqlite or postgres."; exit 2;; \
	esac

chaos-mutants: environment-test
	$(ENV_PYTHON) -m tests.faults.mutants $(MUTANTS)

bench: environment-test browser
	$(COLLECT_STATIC)
	$(ENV_PYTHON) -m benchmarks.start
	$(ENV_PYTHON) -m benchmarks.stream
	$(ENV_PYTHON) -m benchmarks.reference_nodes
	$(ENV_PYTHON) -m benchmarks.unresponsive_nodes
	$(ENV_PYTHON) -m benchmarks.outage
	$(ENV_PYTHON) -m benchmarks.sign_in
	$(ENV_PYTHON) -m benchmarks.preflight
	$(ENV_PYTHON) -m benchmarks.plan
	$(ENV_PYTHON) -m benchmarks.first_cluster

# PostgreSQL with a million attempts, SQLite with a tenth; ATTEMPTS=20000 is a small try
bench-history: environment-test
	$(COLLECT_STATIC)
	$(ENV_PYTHON) -m benchmarks.history $(if $(ATTEMPTS),--attempts $(ATTEMPTS))

# .venv keeps a copy of the list that it was made from, so only a changed list is installed again. The file `unfinished`
# is there during an installation: the next run replaces an interrupted one.
environment-runtime environment-test: environment-%:
	@if $(ENV_PYTHON) -c '' >/dev/null 2>&1 && [ ! -e .venv/unfinished ] \
		&& cmp -s requirements/$*.txt .venv/installed-$*.txt; then exit 0; fi; \
	if [ -e .venv/unfinished ] || ! $(ENV_PYTHON) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		$(FIND_PYTHON); \
		echo "Creating an environment in .venv with $$python …"; \
		rm -rf .venv && mkdir .venv && touch .venv/unfinished && "$$python" -m venv .venv || exit 1; \
	fi; \
	echo "Installing requirements/$*.txt …"; \
	touch .venv/unfinished \
		&& $(ENV_PYTHON) $(PIP_INSTALL) --require-hashes -r requirements/$*.txt </dev/null \
		&& cp requirements/$*.txt .venv/installed-$*.txt \
		&& rm .venv/unfinished

browser: environment-test
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
		if command -v "$$name" >/dev/null 2>&1; then exit 0; fi; \
	done; \
	if [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get -qq update </dev/null && apt-get -qq install -y --no-install-recommends chromium </dev/null; \
	else \
		$(ENV_PYTHON) -m playwright install chromium </dev/null; \
	fi

# Both lists have the same versions: the first constrains the second. Extras stay in them: for coverage[toml], pip looks
# at releases newer than a pin of plain coverage, and stops because it has no hash of them.
requirements:
	@$(FIND_PYTHON); \
	place=$$(mktemp -d) || exit 1; trap 'rm -rf "$$place"' EXIT; trap 'exit 1' INT TERM; \
	"$$python" -m venv "$$place" && "$$place/bin/python" $(PIP_INSTALL) uv || exit 1; \
	compile() { \
		"$$place/bin/python" -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-strip-extras --no-annotate --no-header --no-emit-index-url --no-emit-find-links --no-config "$$@"; \
	}; \
	compile requirements/runtime.in --output-file requirements/runtime.txt \
		&& compile requirements/test.in --constraint requirements/runtime.txt --output-file requirements/test.txt
