"""Tries, as the user it runs as, what a debugger would do to a process. Prints the ways that worked.

Usage: peek.py PID
"""

import ctypes
import os
import sys

PTRACE_ATTACH, PTRACE_DETACH = 16, 17


def reads(path, offset=None):
    with open(path, "rb", buffering=0) as file:
        if offset is not None:
            file.seek(offset)
        return len(file.read(16)) > 0


def writable_memory(pid):
    with open(f"/proc/{pid}/maps") as maps:
        lines = [line for line in maps if " rw-p " in line]
    return int(lines[0].split("-")[0], 16)


def attaches(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(PTRACE_ATTACH, pid, None, None) != 0:
        return False
    os.waitpid(pid, 0)
    libc.ptrace(PTRACE_DETACH, pid, None, None)
    return True


def crosses(pid):
    class Span(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    libc = ctypes.CDLL(None, use_errno=True)
    here = ctypes.create_string_buffer(16)
    local = Span(ctypes.addressof(here), 16)
    there = Span(writable_memory(pid), 16)
    return libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(there), 1, 0) > 0


WAYS = {
    "environ": lambda pid: reads(f"/proc/{pid}/environ"),
    "maps": lambda pid: reads(f"/proc/{pid}/maps"),
    "mem": lambda pid: reads(f"/proc/{pid}/mem", writable_memory(pid)),
    "process_vm_readv": crosses,
    "ptrace": attaches,
}

if __name__ == "__main__":
    for name, way in WAYS.items():
        try:
            if way(int(sys.argv[1])):
                print(name)
        except OSError:
            pass
