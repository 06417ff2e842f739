"""Runs schemathesis, which knows nothing of Muster, over `/openapi.json` of the built binary.

It makes requests from the document and compares each answer with it: no 5xx, no status, header, media type or body that
the document does not describe. Of resources more is asked than the document says: they may hold no attribute that it does
not describe. What a bad request is answered is compared too, but not whether it is refused: the server takes more than
the RFC describes, on purpose, and refuses by rules that no JSON Schema holds.

The seed is fixed. The last line printed is the summary. Exit status: 0 nothing found, 1 something found, 2 the server
could not be tested.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse
from typing import Any

import httpx2
from service import Unusable, server, token

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = "7643"
# They ask whether a body that fits is taken and one that does not is refused; see above.
LEFT_OUT = "negative_data_rejection,positive_data_acceptance"
# Every value at its edge, one at a time, is asked of good requests only: of bad ones it would take many minutes.
PHASES = [
    ("--phases", "examples,fuzzing,stateful", "--mode", "all"),
    ("--phases", "coverage", "--mode", "positive"),
]


def main() -> int:
    """Parses the command line, runs schemathesis and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "debug" / "muster")
    parser.add_argument("--database-url", help="an empty PostgreSQL database; SQLite where it is not given")
    parser.add_argument("--seconds", type=int, default=600, help="how long each of its runs may take")
    parser.add_argument("--max-examples", type=int, default=8, help="how many requests to make up per operation")
    options = parser.parse_args()
    try:
        with server(options.binary.resolve(), options.database_url) as origin, tempfile.TemporaryDirectory() as folder:
            return run(origin, pathlib.Path(folder), options)
    except Unusable as problem:
        print(f"cannot test: {problem}")
        return 2


def run(origin: str, folder: pathlib.Path, options: argparse.Namespace) -> int:
    """Runs schemathesis against a started server."""
    document = httpx2.get(f"{origin}/openapi.json", timeout=10).raise_for_status().json()
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if f"{name}Input" in schemas:
            close(schema)
    # Nothing happens meanwhile that would be worth to wait for.
    document["components"]["parameters"]["wait"]["schema"]["maximum"] = 1
    document["paths"] = absolute(document)
    authorization = f"Authorization: Bearer {token(origin)}"
    api = httpx2.Client(base_url=f"{origin}/scim/v2", headers=dict([authorization.split(": ", 1)]), timeout=30)
    # 501 is what the RFC has for a caller without an account, and what this client has is none.
    without = ["/scim/v2/Me"] if api.get("/Me").status_code == 501 else []
    (folder / "openapi.json").write_text(json.dumps(document))
    command = [
        str(pathlib.Path(sys.executable).with_name("schemathesis")), "run", "openapi.json", "--url", origin,
        "--header", authorization, "--checks", "all", "--exclude-checks", LEFT_OUT, "--seed", SEED,
        "--max-examples", str(options.max_examples), "--continue-on-failure", "--no-color", "--warnings", "off",
        "--generation-database", "none", "--request-timeout", "30", "--suppress-health-check", "all",
    ]  # fmt: skip
    for unwanted in without:
        command += ["--exclude-path", unwanted]
    outcomes = [schemathesis([*command, *phase], folder, options.seconds) for phase in PHASES]
    requests = sum(count for _, count in outcomes)
    clean = all(is_clean for is_clean, _ in outcomes)
    print(f"{requests} requests: {'nothing found' if clean else 'problems found, see above'}")
    return 0 if clean else 1


def absolute(document: dict[str, Any]) -> dict[str, Any]:
    """Returns the paths from the server's root on: schemathesis knows one server, and operations may have one of their own."""
    paths: dict[str, Any] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            root = operation.pop("servers", document["servers"])[0]["url"]
            paths.setdefault(urllib.parse.urlsplit(root).path + path, {})[method] = operation
    return paths


def schemathesis(command: list[str], folder: pathlib.Path, seconds: int) -> tuple[bool, int]:
    """Runs some of its phases; says whether it found nothing, and how many requests it made."""
    try:
        process = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as expired:
        raise Unusable(f"schemathesis did not end within {seconds} seconds") from expired
    print(process.stdout, process.stderr, sep="\n")
    cases = re.search(r"(\d+) generated", process.stdout)
    if process.returncode not in (0, 1) or cases is None:
        raise Unusable(f"schemathesis ended with status {process.returncode}")
    return process.returncode == 0, int(cases[1])


def close(schema: Any) -> None:
    """Makes each object within that names its properties hold no others."""
    if isinstance(schema, list):
        for item in schema:
            close(item)
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    if isinstance(properties, dict) and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    for value in schema.values():
        close(value)


if __name__ == "__main__":
    sys.exit(main())
