"""What can be done: one file an act. `ACTS` is the list of them; `perform.perform` is how each is asked for."""

from stockpile.acts.correct import CORRECT
from stockpile.acts.declare import DECLARE
from stockpile.acts.expend import EXPEND
from stockpile.acts.export import EXPORT
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.import_again import IMPORT_AGAIN
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.open_books import OPEN
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.reject import REJECT
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.acts.void import VOID

ACTS = {
    form.act: form
    for form in (
        OPEN,
        DECLARE,
        SHIP,
        RECEIVE,
        REJECT,
        ISSUE,
        HAND_OVER,
        RETURN,
        MAINTAIN,
        REPORT_MISSING,
        CONCLUDE_LOSS,
        EXPEND,
        RECOVER,
        EXPORT,
        IMPORT_AGAIN,
        CORRECT,
        VOID,
    )
}
"""Each act's form; undo, draw and arrive ask for acts of these with forms of their own."""
