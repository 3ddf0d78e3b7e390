# make demo   install, watch the sample clip, answer three questions
# make test   install, run the tests
# make check  lint, format and types
# Each installs .venv when it is missing or out of date, and is silent about it otherwise.
.PHONY: demo test check format clean
PYTHON := .venv/bin/python

demo:
	@scripts/setup.sh
	@scripts/demo.sh

test:
	@scripts/setup.sh dev
	@$(PYTHON) -m pytest -q $(ARGS)

check:
	@scripts/setup.sh dev
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m pyright --pythonpath $(PYTHON)

format:
	@scripts/setup.sh dev
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
