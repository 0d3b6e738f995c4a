"""curtainup's Python language host: plain `pulumi up` where Pulumi's own host is missing.

Set-up installs it as `pulumi-language-python`. The engine starts it with its own address as the last
argument, reads the port it prints, and asks it over gRPC to run the program. Programs run in this
interpreter, or in the one that the runtime's `virtualenv` option, `PULUMI_PYTHON_CMD` or `VIRTUAL_ENV`
names. The protocol is that of https://github.com/pulumi/pulumi/blob/master/proto/pulumi/language.proto.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import traceback
import types
from concurrent import futures
from pathlib import Path

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.errors import RunError
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

PORT_TO = "--port-to="
"""The option with which a host starts another host: the file descriptor for the other's port."""

SIGNAL_CHECK = 0.2
"""Seconds within which the host notices a signal."""

STOP_LIMIT = 5.0
"""Seconds that a program has to end after the engine is done."""


class Host(LanguageServer):
    """The SDK's server for inline programs, extended to programs in files."""

    def __init__(self, engine_address: str, port_to: int | None) -> None:
        super().__init__(self._run_program)
        self._engine_address = engine_address
        self._is_child = port_to is not None
        self._program = Path()
        self.port = 0

    def Handshake(  # noqa: D102, N802 - the protocol's names
        self,
        request: language_pb2.LanguageHandshakeRequest,  # noqa: ARG002
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> language_pb2.LanguageHandshakeResponse:
        return language_pb2.LanguageHandshakeResponse()

    def GetProgramDependencies(  # noqa: D102, N802 - the protocol's names
        self,
        request: language_pb2.GetProgramDependenciesRequest,  # noqa: ARG002
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> language_pb2.GetProgramDependenciesResponse:
        return language_pb2.GetProgramDependenciesResponse()

    def Run(  # noqa: D102, N802 - the protocol's names
        self, request: language_pb2.RunRequest, context: grpc.ServicerContext
    ) -> language_pb2.RunResponse:
        if not is_own(context.peer(), self.port):
            context.abort(
                grpc.StatusCode.PERMISSION_DENIED, "only the user who runs pulumi may run a program"
            )
        interpreter = Path(sys.executable) if self._is_child else find_interpreter(request.info)
        if not interpreter.is_file():
            return language_pb2.RunResponse(
                error=f"there is no Python at {interpreter}: create that environment first"
            )
        if not same_environment(interpreter):
            return run_in(interpreter, self._engine_address, request)
        folder = Path(request.info.program_directory or request.pwd or ".")
        self._program = folder / (request.info.entry_point or request.program or ".")
        os.chdir(request.pwd or folder)
        # The server of inline programs looks for the engine's address here.
        request.args[:] = [self._engine_address]
        # The SDK's server shows an error before it returns it: "bail" keeps the engine from repeating it.
        result: language_pb2.RunResponse = super().Run(request, context)  # type: ignore[no-untyped-call]
        return language_pb2.RunResponse(bail=bool(result.error))

    def _run_program(self) -> None:
        """Run the program as Python runs a script or a folder: as `__main__`, which it stays."""
        path = self._program / "__main__.py" if self._program.is_dir() else self._program
        sys.path.insert(0, str(path.parent))
        main = types.ModuleType("__main__")
        main.__file__ = str(path)
        sys.modules["__main__"] = main
        try:
            exec(compile(path.read_bytes(), str(path), "exec"), main.__dict__)  # noqa: S102 - that is the job
        except RunError:
            raise
        except Exception as error:
            # Start at the program's own lines, because its author does not need those of the host.
            frames = error.__traceback__ and error.__traceback__.tb_next
            raise RunError("".join(traceback.format_exception(type(error), error, frames))) from error


def is_own(peer: str, port: int) -> bool:
    """Whether a caller on this machine is a process of this user or of root.

    A caller names a program, and it runs with this user's rights. This is `curtainup.util.peers` in short, as
    the host runs in environments that do not have curtainup.
    """
    kind, address, source = peer.split(":")
    if kind != "ipv4":
        return False
    host = int.from_bytes(socket.inet_aton(address), sys.byteorder)
    ends = [f"{host:08X}:{int(source):04X}", f"{host:08X}:{port:04X}"]
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]  # gRPC speaks IPv4 through sockets of IPv6 too
    text = "".join(table.read_text() for table in tables if table.exists())
    rows = [line.split() for line in text.replace("0000000000000000FFFF0000", "").splitlines()]
    owners = [int(row[7]) for row in rows if row[1:4] == [*ends, "01"] and row[9] != "0"]
    return owners in ([0], [os.geteuid()])


def find_interpreter(info: language_pb2.ProgramInfo) -> Path:
    """Return the interpreter that a program asks for, else this one."""
    if "virtualenv" in info.options:
        return Path(info.root_directory) / str(info.options["virtualenv"]) / "bin" / "python"
    if command := os.environ.get("PULUMI_PYTHON_CMD"):
        return Path(shutil.which(command) or command)
    if active := os.environ.get("VIRTUAL_ENV"):
        return Path(active) / "bin" / "python"
    return Path(sys.executable)


def same_environment(interpreter: Path) -> bool:
    """Whether an interpreter sees the packages that this one sees: links of one folder do."""
    return interpreter.parent.samefile(Path(sys.executable).parent)


def run_in(
    interpreter: Path, engine_address: str, request: language_pb2.RunRequest
) -> language_pb2.RunResponse:
    """Run the program with a host of that interpreter, which shares this host's output."""
    reader, writer = os.pipe()
    command = [str(interpreter), __file__, f"{PORT_TO}{writer}", engine_address]
    with subprocess.Popen(command, pass_fds=[writer]) as child, os.fdopen(reader) as port:
        os.close(writer)
        address = f"127.0.0.1:{port.readline().strip()}"
        try:
            with grpc.insecure_channel(address, options=_GRPC_CHANNEL_OPTIONS) as channel:
                response: language_pb2.RunResponse = language_pb2_grpc.LanguageRuntimeStub(channel).Run(
                    request
                )
                return response
        except grpc.RpcError as error:
            return language_pb2.RunResponse(
                error=f"{interpreter} cannot run Pulumi programs: {error.details()}"
            )
        finally:
            child.send_signal(signal.SIGINT)


def main() -> None:
    """Serve until the engine sends SIGINT, which is how it says that it is done."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    options = dict(
        part.removeprefix("--").split("=", 1) for part in sys.argv[1:] if part.startswith("--port-to=")
    )
    port_to = int(options["port-to"]) if options else None
    server = grpc.server(futures.ThreadPoolExecutor(4), options=_GRPC_CHANNEL_OPTIONS)
    host = Host(sys.argv[-1], port_to)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = host.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    os.write(1 if port_to is None else port_to, f"{port}\n".encode())
    if port_to is not None:
        os.close(port_to)
    # Python handles a signal that arrives just before a wait only when that wait ends.
    while not stop.wait(SIGNAL_CHECK):
        pass
    server.stop(STOP_LIMIT).wait()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of a program that did not end in time must not keep the host.
    os._exit(0)


if __name__ == "__main__":
    main()
