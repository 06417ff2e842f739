"""Runs scim2-tester, a conformance tester that knows nothing of Muster, against the built binary.

Two passes over one server, started for the purpose with an empty database:

1. `standard`: User with the enterprise extension, and Group, as the RFCs define them. Every check has to pass.
2. `discovered`: whatever the server publishes, our own types and extensions included. The tester fills attributes with
   random values, so some of our rules must refuse it. Each such refusal is a line of
   conformance/scim2-tester.expected; a failure that is not listed fails the run, and so does a listed one that has
   come to pass.

The last line printed is the summary. Exit status: 0 all as expected, 1 not, 2 the server could not be tested.
"""

import argparse
import json
import pathlib
import random
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import httpx2
from pydantic import Field
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import (
    URN,
    ComplexAttribute,
    EnterpriseUser,
    Mutability,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    User,
)
from scim2_tester import CheckResult, Status, check_server, filling
from service import Unusable, server, token

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPECTED = ROOT / "conformance" / "scim2-tester.expected"
FAILED = {Status.ERROR, Status.CRITICAL, Status.DEVIATION}


class Check(NamedTuple):
    """What tells one check of the tester from another."""

    resource_type: str
    title: str
    attribute: str

    @classmethod
    def of(cls, result: CheckResult) -> "Check":
        """Names the check that `result` belongs to."""
        attribute = result.data.get("urn") if isinstance(result.data, dict) else None
        return cls(result.resource_type or "-", result.title or "-", attribute or "-")

    def __str__(self) -> str:
        return " ".join(part for part in self if part != "-")


class Member(ComplexAttribute):
    """A member as RFC 7643 section 8.7.1 has it; the library's own adds a `display` that clients may write."""

    value: Annotated[str | None, Mutability.immutable] = None
    ref: Annotated[Reference[User] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User", "Group"])


class Group(Resource[Any]):
    """A group as RFC 7643 section 8.7.1 has it."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None


def main() -> int:
    """Parses the command line, runs both passes and says how they went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "debug" / "muster")
    parser.add_argument("--database-url", help="an empty PostgreSQL database; SQLite where it is not given")
    parser.add_argument("--print-observed", action="store_true", help="print the failures of the second pass as TSV")
    parser.add_argument("--verbose", action="store_true", help="print passed checks too")
    options = parser.parse_args()
    try:
        with server(options.binary.resolve(), options.database_url) as origin:
            headers = {"Authorization": f"Bearer {token(origin)}"}
            with httpx2.Client(base_url=f"{origin}/scim/v2", headers=headers, timeout=30) as http:
                return report(standard(http), discovered(http), options)
    except Unusable as problem:
        print(f"cannot test: {problem}")
        return 2


def standard(http: httpx2.Client) -> list[CheckResult]:
    """Runs the checks on the RFCs' own resource types alone."""
    random.seed(7643)
    provider = ScimProvider(
        models=[User, EnterpriseUser, Group],
        resource_types=[ResourceType.from_resource(User[EnterpriseUser]), ResourceType.from_resource(Group)],
        # An answer may hold extensions that this client never heard of (RFC 7643 section 3.3).
        policy=ScimPolicy(unknown=ScimPolicy.Unknown.ignore),
    )
    return check_server(SyncSCIMClient(http, provider=provider))


def discovered(http: httpx2.Client) -> list[CheckResult]:
    """Runs the checks on everything the server publishes."""
    random.seed(7643)
    teach_the_tester_time()
    return check_server(SyncSCIMClient(http))


def teach_the_tester_time() -> None:
    """Makes the tester fill instants, decimals and calendar days.

    It has only random text for them, which ends the whole check. Which strings take a calendar day
    is what the schema files' `format` says.
    """
    names = {name for path in (ROOT / "src").glob("*/schemas/*.json") for name in days(json.loads(path.read_text()))}
    by_examples = filling.get_random_example_value

    def example(path: Any) -> Any:
        binding = path.resolve()
        if binding is None or binding.target_model is None:
            return by_examples(path)
        day = datetime(random.randint(2010, 2039), random.randint(1, 12), random.randint(1, 28), 9, 30, tzinfo=UTC)
        if binding.target_type is datetime:
            return day
        if binding.target_type is float:
            return random.randint(0, 100) / 4
        field = binding.target_model.model_fields.get(binding.target_field_name)
        if field and field.serialization_alias in names:
            return day.date().isoformat()
        return by_examples(path)

    filling.get_random_example_value = example


def days(attribute: dict[str, Any]) -> Iterator[str]:
    """Names the attributes within that the schema files annotate as calendar days."""
    if attribute.get("format") == "date":
        yield attribute["name"]
    for inner in attribute.get("attributes", []) + attribute.get("subAttributes", []):
        yield from days(inner)


def expected() -> dict[Check, str]:
    """Reads the failures that our rules must cause: type, check, attribute and the rule, with tabs in between."""
    listed: dict[Check, str] = {}
    if not EXPECTED.exists():
        return listed
    for number, line in enumerate(EXPECTED.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 4 or not fields[3].strip():
            raise Unusable(f"{EXPECTED.name}, line {number}: wants type, check, attribute and rule, tab-separated")
        listed[Check(*fields[:3])] = fields[3]
    return listed


def reason(result: CheckResult) -> str:
    """Puts the tester's reason on one line."""
    return " ".join((result.reason or "no reason given").split())


def report(first: list[CheckResult], second: list[CheckResult], options: argparse.Namespace) -> int:
    """Prints both passes; gives the exit status."""
    listed = expected()
    failed = {Check.of(result): reason(result) for result in second if result.status in FAILED}
    if options.print_observed:
        for check, why in sorted(failed.items()):
            print("\t".join([*check, listed.get(check, f"TODO {why}")]))
    problems = []
    for name, results in (("standard", first), ("discovered", second)):
        for result in results:
            check = Check.of(result)
            as_expected = name == "discovered" and check in listed
            if result.status in FAILED and not as_expected:
                problems.append(f"{name}: {result.status.name} {check}: {reason(result)}")
            elif result.status is Status.SKIPPED or options.verbose:
                print(f"{name}: {result.status.name} {check}: {reason(result)}")
        if not any(result.resource_type for result in results):
            problems.append(f"{name}: no resource type was checked")
    problems += [f"discovered: listed, but did not fail: {check}" for check in listed if check not in failed]
    for problem in problems:
        print(problem)
    print(f"{summary('standard', first)}; {summary('discovered', second)}; "
          f"{len(listed)} failures listed, {len(problems)} problems")
    return 1 if problems else 0


def summary(name: str, results: list[CheckResult]) -> str:
    """Counts the results of one pass by status."""
    counts = Counter(result.status.name.lower() for result in results)
    return f"{name}: " + ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
