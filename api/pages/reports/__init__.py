"""Reports: the questions that auditors and donors have asked of weapons before, a file each, called as the one in `stockpile/reports/` that
answers it.
"""

from __future__ import annotations

from api.pages.reports import (
    allowances,
    consignments,
    count_compliance,
    destruction_orders,
    flows,
    handover_papers,
    holders,
    index,
    inspections,
    loss_timeliness,
    losses,
    over_time,
    records,
    routine_visits,
    serial_capture,
    transit,
    trial_balance,
    unaccounted,
    unusual,
)

PAGES = (
    index,
    serial_capture,
    inspections,
    loss_timeliness,
    allowances,
    trial_balance,
    destruction_orders,
    handover_papers,
    holders,
    unusual,
    losses,
    consignments,
    transit,
    records,
    routine_visits,
    unaccounted,
    over_time,
    flows,
    count_compliance,
)
"""The pages of reports, each a router."""
