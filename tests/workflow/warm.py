"""Python processes that need not import the libraries first, since they are forked from one that has.

A job of a small config spends most of its time on importing pandas, SciPy and torch, and a plan of it most of its time
on importing Snakemake. `Warm` starts a process that imports these and nothing of ours. Each command is then run by a
fork of it, as ``python -m snakemake`` or ``python SCRIPT`` would run it: arguments, environment, working folder and
streams are the caller's. One thing differs: all forks have the same seed of Python's hashes. Tests of what is the same
from run to run, and tests that kill, therefore start a process in the usual way.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

LIBRARIES = """
    anndata h5py jinja2 matplotlib.pyplot nbformat networkx numba pandas pyarrow.dataset requests safetensors.torch
    scipy.sparse.csgraph scipy.sparse.linalg scipy.stats sklearn.decomposition sklearn.ensemble sklearn.linear_model
    sklearn.model_selection sklearn.preprocessing sklearn.svm snakemake.cli torch._dynamo zarr
"""


class Warm:
    """The process with the libraries; it ends with the one that has made this object, however that ends.

    It has a socket and a ``python`` for Snakemake's jobs in `folder`, which it removes at its end.
    """

    def __init__(self, folder: Path) -> None:
        self.socket, self.python = folder / "socket", folder / "python"
        self.python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{__file__}" ask "{self.socket}" "$@"\n')
        self.python.chmod(0o755)
        command = [sys.executable, __file__, "serve", self.socket, self.python]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert self.process.stdout.readline() == b"ready\n"

    def run(self, arguments: list[str], folder: Path, environment: dict[str, str], output: int) -> int:
        """Exit code of Python with `arguments` in `folder`; `output` is the file descriptor of both streams."""
        with open(os.devnull) as nothing:
            return ask(self.socket, arguments, str(folder), environment, [nothing.fileno(), output, output])


def ask(path: str | Path, arguments: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> int:
    """Exit code of what the process that listens at `path` has run."""
    request = {"arguments": arguments, "folder": folder, "environment": environment}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        socket.send_fds(connection, [b"."], streams)
        connection.sendall(json.dumps(request).encode())
        connection.shutdown(socket.SHUT_WR)
        return int(connection.recv(16) or 1)


def serve(path: str) -> dict:
    """Fork for each request until standard input ends; only the forks return, each with its request.

    Between them and this process is one more, which sends the exit code to who has asked.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        print("ready", flush=True)
        while server in select.select([server, sys.stdin], [], [])[0]:
            connection, _ = server.accept()
            if os.fork() == 0:
                break
            connection.close()
        else:
            shutil.rmtree(Path(path).parent)
            sys.exit()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    request = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    if child := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(str(status).encode())
        os._exit(0)
    connection.close()
    for stream, place in zip(streams, range(3), strict=True):
        os.dup2(stream, place)
        os.close(stream)
    return json.loads(request)


def main(request: dict, python: str) -> int:
    """Do what Python would do with the arguments of a request; its exit code."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    arguments = request["arguments"]
    module = arguments[0] == "-m"
    sys.argv = arguments[1:] if module else arguments
    of_environment = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:1] = [os.getcwd() if module else str(Path(sys.argv[0]).parent), *of_environment]
    try:
        if module:
            sys.executable = python
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


if __name__ == "__main__":
    mode, place, *rest = sys.argv[1:]
    if mode == "serve":
        for name in LIBRARIES.split():
            importlib.import_module(name)
        sys.modules["snakemake.cli"].get_argument_parser()
        gc.freeze()  # else each fork copies the memory of all these objects when it looks for garbage
        request = serve(place)
        try:
            code = main(request, *rest)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            code = 1
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # to take all of the libraries apart would take long
    elif rest[0].endswith(".py"):
        sys.exit(ask(place, rest, os.getcwd(), dict(os.environ), [0, 1, 2]))
    else:
        os.execv(sys.executable, [sys.executable, *rest])
