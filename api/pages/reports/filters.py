"""What several reports are narrowed by."""

from __future__ import annotations

from api.pages.listing import HOST, Filter, day_filter, hidden_filter
from api.pages.moments import read_moment
from api.words import N_

DONOR_FILTER = Filter("donor", N_("Donor"), help=N_("Its code"), roles=HOST)
MODEL_FILTER = Filter("model", N_("Model"), help=N_("Its whole name, such as AKM"))
HIDDEN_AS_OF = (
    hidden_filter("as_of", N_("As of"), read=read_moment, fixed=True),
    hidden_filter("recorded_as_of", N_("As the books said"), read=read_moment, fixed=True),
)
NARROWED = (
    Filter("unit", N_("Unit"), help=N_("Its code; with its people and sub-units"), roles=HOST),
    MODEL_FILTER,
    DONOR_FILTER,
)
BETWEEN = (day_filter("since", N_("From")), day_filter("until", N_("To")))
