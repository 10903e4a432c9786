"""Hands that meet: plans of several clients for one site, and credentials that are deleted under an order."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.fleet.vendor_problems import no_access_to
from app.storage.control_tables import ControlOrderRow
from app.storage.credential_tables import VendorCredentialRow
from app.web.problems import Problem


def refuse_plan_of_others(orders: Sequence[ControlOrderRow]) -> None:
    """Raises a 409 Problem while another client's plan runs, without saying whose or what it is."""
    if not orders:
        return
    until = max(order.end_at for order in orders)
    detail = (
        f"Another client controls the batteries of this site until {until.isoformat()}. Nothing was changed; with "
        "force=true the plan takes the place of that client's."
    )
    raise Problem(409, "control_conflict", detail, until=until.isoformat())


def refuse_without_credentials(session: Session, added: Sequence[ControlOrderRow]) -> None:
    """Raises a 403 Problem if the stored credentials of new orders were deleted while their request was under way:
    nothing would end those orders."""
    for order in added:
        if order.credentials_id and session.get(VendorCredentialRow, order.credentials_id) is None:
            raise no_access_to(order.vendor)
