"""Serves scim2-server from memory, as its own command does, but behind waitress.

Its command uses Python's wsgiref, which closes the connection after each answer; waitress keeps it, so that the
comparison is of SCIM servers and not of connections.
"""

import logging
import secrets
import sys

import waitress
from scim2_models import ScimProvider
from scim2_server.memory import InMemoryStorage
from scim2_server.service import ScimService
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)


def main() -> None:
    """Listens on the port given as the only argument."""
    logging.basicConfig(level=logging.ERROR)
    provider = ScimProvider.from_discovery(
        load_default_schemas().values(),
        load_default_resource_types().values(),
        config=load_default_service_provider_config(),
    )
    service = ScimService(provider, secret=secrets.token_urlsafe(32))
    application = BearerTokenApplication(InMemoryStorage(), provider, service=service)
    waitress.serve(application, host="127.0.0.1", port=int(sys.argv[1]), threads=4)


main()
