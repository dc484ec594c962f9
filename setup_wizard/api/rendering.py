"""The request of a start as text for scripts."""

from collections.abc import Mapping

from django.views.decorators.debug import sensitive_variables

from setup_wizard.api.attempt_schemas import StartIn
from setup_wizard.api.errors import invalid, invalid_bootstrap
from setup_wizard.bootstrap import renderings
from setup_wizard.bootstrap.request import InvalidRequest, parse_request
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.nodes.certificates import normalise_fingerprint


@sensitive_variables()
def render(body: StartIn) -> dict[str, str]:
    """Return each rendering by its name.

    Raises:
        Problem: 422 when the request, the address or the fingerprint is invalid.
    """
    try:
        request = parse_request(body.bootstrap, credentials_required=False)
    except InvalidRequest as error:
        raise invalid_bootstrap(error) from None  # its cause has the password
    try:
        address = str(Address.parse(body.address))
    except AddressInvalid as error:
        raise invalid({"address": [str(error)]}) from None
    try:
        fingerprint = normalise_fingerprint(body.fingerprint)
    except ValueError as error:
        raise invalid({"fingerprint": [str(error)]}) from None
    credentials = body.bootstrap.get("credentials")
    complete = renderings.with_placeholders(request, credentials if isinstance(credentials, Mapping) else {})
    return {
        each.name: each.text for each in renderings.render_request(complete, address=address, fingerprint=fingerprint)
    }
