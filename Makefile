# Everything that a developer or a new user runs. `make demo` and `make test` set up what they need.

PYTHON ?= python3
VENV := .venv
ENGINE := $(VENV)/bin/python
UV := $(VENV)/bin/uv
BLENDERS := 4.2 4.5 5.0
DEMO_BLENDER := 4.5
BPY_4.2 := 4.2.23
BPY_4.5 := 4.5.15
BPY_5.0 := 5.0.1
BPY_5.2 := 5.2.2
# Blender 5.2's module wants Python 3.13: it is tested where one is found, none is downloaded.
BPY_PYTHON_5.2 := $(firstword $(foreach python,$(shell command -v python3.13) \
    $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python3),$(shell $(python) -c \
    'import sys; sys.version_info[:2] == (3, 13) and print(sys.executable)' 2>/dev/null)))
BLENDERS += $(if $(BPY_PYTHON_5.2),5.2)
BPY_VENVS := $(BLENDERS:%=.venvs/bpy-%/ready)
GUI_SUITES := sid trixie
GUI_BLENDERS := 5.2 4.3
# In the foreground, so that Ctrl C ends what is limited, too.
LIMIT := timeout --foreground --kill-after=10
# What a Blender tests: `make test-blender-4.5 TESTS=tests/blender/test_panels.py`.
TESTS ?= tests/blender
# How many processes test at a time, one thread each; 1 tests in one process.
SIDE_BY_SIDE ?= 2

# Nothing is written beside the sources, and torch is compiled once, not for each process; also
# where the machine's environment tells Python to keep nothing, as many images for containers do.
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/bytecode
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-engine test-blender test-gui test-install torture fuzz gui-setup check format lock docs encoder zip zips clean

help:
	@echo "make demo      stylize a clip that Blender renders; pictures in build/demo"
	@echo "               CLIP=FOLDER_OR_MOVIE MASKS=DIR GLOBAL=TEXT LOCAL=TEXT for your own"
	@echo "make test      lint, types and all tests, in Blender $(BLENDERS) too"
	@echo "make test-blender-4.5 TESTS=tests/blender/test_panels.py  one Blender, some tests"
	@echo "make test-gui  tests in a real window, Blender 5.2 and 4.3 (root on Debian; 3 GB)"
	@echo "make test-install  the engine installed and removed for real in Blender 5.2 (10 GB)"
	@echo "make torture   kill, starve and damage whole jobs for an hour; prints a table"
	@echo "               STRIKES='--seed 1 --kills 20' for fewer"
	@echo "make fuzz      requests, events, images and movies with changed bytes, 10 minutes each"
	@echo "make zip       the extension for this system, as Blender installs it, in build/"
	@echo "make zips      one for each system"
	@echo "make format    put every file into the house style"
	@echo "make lock      lock the packages anew"
	@echo "make docs      write the generated pages of docs/"
	@echo "make encoder   PHOTOS=DIR train the embedded encoder anew (hours; training/README.md)"

setup: $(VENV)/ready

$(VENV)/ready: engine/requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or newer is needed"'
	$(PYTHON) -m venv $(VENV)
	$(ENGINE) -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --python $(ENGINE) --require-hashes -r engine/requirements.txt
	$(UV) pip install --quiet --python $(ENGINE) --require-hashes -r requirements-dev.txt
	@touch $@

# A bpy wheel wants its own Python 3.11 and its own numpy; each has a venv, as in the product.
.venvs/bpy-%/ready: tests/blender/requirements.txt | $(VENV)/ready
	tools/system_packages.sh
	$(UV) venv --quiet --allow-existing --python $(or $(BPY_PYTHON_$*),3.11) .venvs/bpy-$*
	$(UV) pip install --quiet --python .venvs/bpy-$* bpy==$(BPY_$*) -r tests/blender/requirements.txt
	@touch $@

torture: $(VENV)/ready
	OMP_NUM_THREADS=1 $(LIMIT) 7200 $(ENGINE) -m tests.torture $(STRIKES)

# Ten minutes for each kind of file.
fuzz: $(VENV)/ready
	OMP_NUM_THREADS=1 $(LIMIT) 3600 $(ENGINE) -m tests.torture --kills 0 --failures 0 --damage 0 \
	    --checkpoints 0 --together 0 --fuzz 600 $(STRIKES)

demo: $(VENV)/ready .venvs/bpy-$(DEMO_BLENDER)/ready
	STRIP_STYLIZER_PYTHON=$(CURDIR)/$(ENGINE) $(LIMIT) 3600 \
	    .venvs/bpy-$(DEMO_BLENDER)/bin/python examples/demo.py --out build/demo \
	    $(if $(CLIP),--clip "$(CLIP)") $(if $(MASKS),--masks "$(MASKS)") \
	    $(if $(GLOBAL),--global "$(GLOBAL)") $(if $(LOCAL),--local "$(LOCAL)")

test: check test-engine test-blender

# Every file's tests stay in one process, so that what they share is made once.
test-engine: $(VENV)/ready
	@tools/browser.sh
	OMP_NUM_THREADS=1 $(ENGINE) -m pytest --numprocesses $(SIDE_BY_SIDE) --dist loadfile

# The words of each version come at its end, in one piece.
test-blender: $(VENV)/ready $(BPY_VENVS)
	@$(MAKE) --no-print-directory --jobs=$(SIDE_BY_SIDE) --output-sync=target \
	    $(BLENDERS:%=test-blender-%)

test-blender-%: $(VENV)/ready .venvs/bpy-%/ready
	@echo "Blender $*"
	@OMP_NUM_THREADS=1 STRIP_STYLIZER_PYTHON=$(CURDIR)/$(ENGINE) $(LIMIT) 1800 \
	    .venvs/bpy-$*/bin/python -m pytest $(TESTS)

# Blender with a window, from Debian, each in a folder of its own. Where that cannot be had the
# script says why and ends with 3; the tests in a window are then left out, aloud.
gui-setup:
	@mkdir -p .venvs/gui
	@$(MAKE) --no-print-directory --jobs=$(SIDE_BY_SIDE) $(GUI_SUITES:%=gui-setup-%)

gui-setup-%:
	@tools/gui/chroot.sh $* .venvs/gui/$*

test-gui: $(VENV)/ready
	@tools/gui/can_run.sh || exit 0; \
	$(MAKE) --no-print-directory gui-setup || { echo "The tests in a window are left out."; exit 0; }; \
	$(MAKE) --no-print-directory zip && \
	$(MAKE) --no-print-directory --jobs=$(SIDE_BY_SIDE) --output-sync=target \
	    $(GUI_BLENDERS:%=test-gui-%)

test-gui-%: $(VENV)/ready
	@echo "Blender $* with a window"
	@OMP_NUM_THREADS=1 STRIP_STYLIZER_GUI=$* $(LIMIT) 5400 $(ENGINE) -m pytest tests/gui

# The engine installed, used and removed in a clean Blender 5.2: about 10 GB of downloads.
test-install: $(VENV)/ready
	@tools/gui/can_run.sh || exit 0; \
	$(MAKE) --no-print-directory gui-setup zip && \
	STRIP_STYLIZER_GUI=1 STRIP_STYLIZER_INSTALL=1 \
	    $(LIMIT) 5400 $(ENGINE) -m pytest tests/gui/test_installation.py

check: $(VENV)/ready
	$(ENGINE) -m ruff check .
	$(ENGINE) -m ruff format --check .
	$(VENV)/bin/pyright

format: $(VENV)/ready
	$(ENGINE) -m ruff check --fix .
	$(ENGINE) -m ruff format .

lock: $(VENV)/ready
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-annotate engine/requirements.in -o engine/requirements.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-annotate requirements-dev.in -o requirements-dev.txt
	echo uv | $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url --no-annotate - -o tools/uv.txt

docs: $(VENV)/ready
	$(ENGINE) -m engine settings --markdown > docs/settings.md
	$(ENGINE) -m engine remedies --markdown > docs/remedies.md

encoder: $(VENV)/ready
	$(ENGINE) -m training --photos "$(PHOTOS)"

zip: $(VENV)/ready .venvs/bpy-$(DEMO_BLENDER)/ready
	$(ENGINE) -m tools.build_zip --bpy .venvs/bpy-$(DEMO_BLENDER) --out build

zips: $(VENV)/ready .venvs/bpy-$(DEMO_BLENDER)/ready
	$(ENGINE) -m tools.build_zip --bpy .venvs/bpy-$(DEMO_BLENDER) --out build --all

clean:
	rm -rf build .venv .venvs
