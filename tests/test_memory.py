"""Freed memory is kept where the system's C library can be told so."""

import ctypes
import platform
import sys

import pytest

from engine import __main__ as command_line
from engine import memory

IS_GLIBC = sys.platform == "linux" and platform.libc_ver()[0] == "glibc"


@pytest.mark.skipif(not IS_GLIBC, reason="needs the C library of GNU")
def test_the_c_library_of_linux_is_told():
    assert memory.keep_freed_memory()


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_another_system_is_left_alone(monkeypatch, system):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: pytest.fail("a library was opened"))
    assert not memory.keep_freed_memory()


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert not memory.keep_freed_memory()


def test_every_verb_begins_with_it(monkeypatch, capsys):
    told = []
    monkeypatch.setattr(command_line, "keep_freed_memory", lambda: told.append(True))
    for verb in ("settings", "remedies"):
        assert command_line.main([verb]) == 0
    assert told == [True, True] and capsys.readouterr().out
