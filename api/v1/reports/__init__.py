"""The routes of reports, a file each, called as the one in `stockpile/reports/` that answers it: docs/reports.md tells what counts."""

from __future__ import annotations

from api.v1.reports import (
    allowances,
    consignments,
    count_compliance,
    flows,
    handover_papers,
    holders,
    holdings,
    index,
    inspections,
    loss_timeliness,
    losses,
    over_time,
    records,
    routine_visits,
    serial_capture,
    transit,
    unaccounted,
    unusual,
)

ROUTES = (
    index,
    allowances,
    serial_capture,
    inspections,
    loss_timeliness,
    handover_papers,
    holders,
    unusual,
    losses,
    consignments,
    transit,
    records,
    routine_visits,
    unaccounted,
    holdings,
    over_time,
    flows,
    count_compliance,
)
"""The routes of reports, each a router, in the order in which their page tells them."""
