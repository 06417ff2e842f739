"""The built binary as a service to test: started over an empty database, and a token for it."""

import contextlib
import pathlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

import httpx2

CREDENTIALS = ("conformance", "conformance-secret")
START_SECONDS = 60


class Unusable(Exception):
    """The server cannot be tested at all."""


@contextlib.contextmanager
def server(binary: pathlib.Path, database_url: str | None) -> Iterator[str]:
    """Starts the server over an empty data folder and gives its origin; stops it afterwards."""
    with tempfile.TemporaryDirectory(prefix="muster-scim2-") as folder:
        port = free_port()
        log_path = pathlib.Path(folder) / "server.log"
        command = [str(binary), "serve", "--dev", "--port", str(port), "--data-dir", f"{folder}/data"]
        if database_url:
            command += ["--database-url", database_url]
        with log_path.open("wb") as log:
            try:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
            except OSError as error:
                raise Unusable(f"{binary}: {error.strerror}") from error
            try:
                origin = f"http://127.0.0.1:{port}"
                wait_until_ready(origin, process, log_path)
                yield origin
            finally:
                process.terminate()
                try:
                    process.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def free_port() -> int:
    """Returns a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(origin: str, process: subprocess.Popen, log_path: pathlib.Path) -> None:
    """Returns as soon as the server says that it is ready."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(f"{origin}/readyz", timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    ending = "\n".join(log_path.read_text(errors="replace").splitlines()[-20:])
    why = f"ended with status {process.returncode}" if process.poll() is not None else "is not ready"
    raise Unusable(f"the server {why}; its last words:\n{ending}")


def token(origin: str) -> str:
    """Gets an access token as any client would (RFC 6749 section 4.4)."""
    answer = httpx2.post(f"{origin}/dev/token", data={"grant_type": "client_credentials"}, auth=CREDENTIALS, timeout=10)
    if answer.status_code != 200:
        raise Unusable(f"the token endpoint answered {answer.status_code}: {answer.text}")
    return answer.json()["access_token"]
