"""Runs one command on a pseudo-terminal of its own, driven by JSON lines.

In:  {"send": base64} {"signal": "TERM"} {"termios": id} {"hangup": true}
Out: {"pid": number} {"out": base64} {"termios": id, "fields": [...]} {"exit": code or null, "signal": number or null}
The slave side stays open here, so that the terminal's modes can still be read when the command is gone.
"""

import base64
import fcntl
import json
import os
import select
import signal
import struct
import sys
import termios


def emit(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def start(argv, columns, rows):
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    child = os.fork()
    if child == 0:
        os.close(master)
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for number in (0, 1, 2):
            os.dup2(slave, number)
        if slave > 2:
            os.close(slave)
        os.execvp(argv[0], argv)
    return child, master, slave


def fields(descriptor):
    return [
        [v.hex() if isinstance(v, bytes) else v for v in field] if isinstance(field, list) else field
        for field in termios.tcgetattr(descriptor)
    ]


class Driver:
    def __init__(self, child, master, slave):
        self.child, self.master, self.slave = child, master, slave
        self.commands = b""

    def obey(self, command):
        if "send" in command:
            os.write(self.master, base64.b64decode(command["send"]))
        if "signal" in command:
            os.kill(self.child, getattr(signal, "SIG" + command["signal"]))
        if "termios" in command:
            emit({"termios": command["termios"], "fields": fields(self.slave)})
        if "hangup" in command:
            os.close(self.slave)
            os.close(self.master)
            self.master = None

    def drain(self, seconds):
        watched = [0] if self.master is None else [0, self.master]
        ready, _, _ = select.select(watched, [], [], seconds)
        if self.master in ready:
            emit({"out": base64.b64encode(os.read(self.master, 65536)).decode()})
        if 0 in ready:
            chunk = os.read(0, 65536)
            if not chunk:
                os.kill(self.child, signal.SIGKILL)
            *lines, self.commands = (self.commands + chunk).split(b"\n")
            for line in lines:
                self.obey(json.loads(line))
        return bool(ready)

    def run(self):
        emit({"pid": self.child})
        while True:
            self.drain(0.02)
            pid, status = os.waitpid(self.child, os.WNOHANG)
            if pid:
                break
        while self.master is not None and select.select([self.master], [], [], 0.05)[0]:
            emit({"out": base64.b64encode(os.read(self.master, 65536)).decode()})
        if self.master is not None:
            emit({"termios": "end", "fields": fields(self.slave)})
        exited = os.WIFEXITED(status)
        emit({
            "exit": os.WEXITSTATUS(status) if exited else None,
            "signal": None if exited else os.WTERMSIG(status),
        })


if __name__ == "__main__":
    Driver(*start(sys.argv[3:], int(sys.argv[1]), int(sys.argv[2]))).run()
