# Every target does its own set-up: Python 3.11 and make are all that must be there.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
SOURCE ?=
SEED   ?=
CHECKS ?=
VENV   := .venv
RUN    := $(VENV)/.run-installed
DEV    := $(VENV)/.dev-installed
PIP    := $(VENV)/bin/python -m pip --disable-pip-version-check
# One lock for every Python and platform that pyproject.toml allows; it names no registry. What is pinned stays as it is
# unless UPGRADE=--upgrade says otherwise.
UPGRADE ?= --upgrade
LOCK   := $(VENV)/bin/uv pip compile -q $(UPGRADE) --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --custom-compile-command "make lock" --annotation-style line --no-emit-index-url --no-emit-find-links pyproject.toml
# What pip says is counted, so that whoever waits sees that it goes on. If it fails, its last lines are shown.
COUNT   = 2>&1 | awk -v all=`grep -c == $(1)` '{ last[NR % 15] = $$0 } \
	/^Collecting/ && ++n % 10 == 0 { print "  " n " of " all " packages"; fflush() } \
	/^Installing collected/ { print "  unpacking them ..."; fflush() } \
	/^(Successfully|Requirement already)/ { done = 1 } \
	END { if (!done) for (i = NR + 1; i <= NR + 15; i++) if (last[i % 15]) print last[i % 15]; exit !done }'

QUICK     := not slow and not browser and not processes
ALL_TESTS := $(VENV)/bin/python -m pytest -q --durations=5 -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help

.PHONY: help run demo quick test test-sqlite test-postgres coverage image chaos lint fuzz bench audit screenshots words lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / - /' | sed 's/^/  make /'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Paper Round needs Python 3.11 or newer, and '$(PYTHON)' is not. Say where it is: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "Making the virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "This Python cannot make virtual environments; on Debian, install the package python3-venv."; exit 1; }

$(RUN): requirements.txt | $(VENV)/bin/python
	@echo "Installing what it needs into $(VENV): half a gigabyte, once, a minute or a few ..."
	@$(PIP) install --require-hashes -r $< $(call COUNT,$<)
	@touch $@

$(DEV): requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what it needs and the test tools into $(VENV): once, some minutes ..."
	@$(PIP) install --require-hashes -r $< $(call COUNT,$<)
	@touch $@ $(RUN)

run: $(RUN) ## set up and serve everything on http://127.0.0.1:8000 (PORT=..., DATA_DIR=... for another)
	@exec $(VENV)/bin/python manage.py run

demo: $(RUN) ## the whole job once: papers in, three readers, their mails (SOURCE=path-or-url)
	@$(VENV)/bin/python manage.py demo $(if $(SOURCE),"$(SOURCE)")

quick: $(DEV) lint ## what one runs while working: style, types and the fast tests on SQLite, in two minutes
	@$(VENV)/bin/python -m pytest -q -n 2 --dist loadfile -m "$(QUICK)" --hypothesis-profile=quick

test: $(DEV) lint test-sqlite test-postgres ## everything a contributor needs to trust a change, on SQLite and PostgreSQL

test-sqlite: $(DEV) ## all tests on SQLite
	@$(VENV)/bin/python manage.py makemigrations --check --dry-run
	@echo "== on SQLite";     $(ALL_TESTS)

test-postgres: $(DEV) ## the tests that ask the database, on PostgreSQL
	@echo "== on PostgreSQL"; $(ALL_TESTS) --postgres

coverage: $(DEV) ## the share of lines and branches that the tests on SQLite run, by file (HTML in var/coverage)
	@$(ALL_TESTS) -m "not browser and not processes" --cov --cov-report=term:skip-covered --cov-report=html:var/coverage

image: ## build the image that docker-compose.yml runs (EXTRA=ses or resend adds that provider's package)
	docker build --build-arg EXTRA=$(or $(EXTRA),production) -t paper-round .

chaos: $(DEV) ## 2,000 mails while workers, Redis, PostgreSQL and the mail server die at random (SEED=... repeats the dice)
	@$(VENV)/bin/python -m tests.chaos $(if $(SEED),--seed $(SEED))

lint: $(DEV) ## style, types, who may import whom, and what is declared
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/deptry .
	@$(VENV)/bin/deptry tests bench audit --exclude "^\.venv" --ignore DEP002,DEP004

FUZZ_EXAMPLES ?= 2000
fuzz: $(DEV) ## thousands of odd pages, lines and tables for every parser (FUZZ_EXAMPLES of each, half an hour at most)
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) timeout 1800 $(VENV)/bin/python -m pytest -q \
		tests/digest/papers/sources/test_properties.py tests/subscriptions/imports/test_properties.py

bench: $(DEV) ## benchmarks beside peers and limits, as a table and var/bench.json
	@$(VENV)/bin/python -W ignore::UserWarning -m bench
	@$(VENV)/bin/python -W ignore::UserWarning -m bench --postgres

audit: $(DEV) ## tools of others judge every page and mail: axe, vnu, Lighthouse, caniemail, SpamAssassin (into var/audit)
	@$(VENV)/bin/python -m audit $(CHECKS)

screenshots: $(DEV) ## renew the pictures of docs/images from the running service
	@$(VENV)/bin/python -m pytest -q tests/test_screenshots.py --screenshots

words: $(DEV) ## texts out of the source into locale/, for translators, and compiled (needs gettext)
	@command -v xgettext >/dev/null || { echo "make words reads texts with GNU gettext: on Debian, install the package gettext."; exit 1; }
	@$(VENV)/bin/python manage.py makemessages --all --no-location --no-wrap -v 0 -i .venv -i var -i tests -i bench -i audit
	@$(VENV)/bin/python -m config.catalogues

lock: $(DEV) ## pin again what pyproject.toml allows
	@$(LOCK) --all-extras -o requirements-dev.txt
	@$(LOCK) -c requirements-dev.txt --extra embedded -o requirements.txt
	@$(LOCK) -c requirements-dev.txt -o requirements-production.txt
	@$(LOCK) -c requirements-dev.txt --extra ses -o requirements-ses.txt
	@$(LOCK) -c requirements-dev.txt --extra resend -o requirements-resend.txt

clean: ## forget the virtual environment and all local data (var/)
	rm -rf $(VENV) var
