"""What can be done: one file an act. `ACTS` is the list of them; `perform.perform` is how each is asked for."""

from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.change_custodian import CHANGE_CUSTODIAN
from stockpile.acts.correct import CORRECT
from stockpile.acts.declare import DECLARE
from stockpile.acts.destroy import DESTROY
from stockpile.acts.destruction_order import ORDER_DESTRUCTION
from stockpile.acts.expend import EXPEND
from stockpile.acts.export import EXPORT
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.import_again import IMPORT_AGAIN
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.mark import MARK
from stockpile.acts.open_books import OPEN
from stockpile.acts.overrun import OVERRUN
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.register_gain import REGISTER_GAIN
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
        REGISTER_GAIN,
        MARK,
        AMEND_IDENTIFICATION,
        REJECT,
        ISSUE,
        HAND_OVER,
        RETURN,
        MAINTAIN,
        REPORT_MISSING,
        OVERRUN,
        CONCLUDE_LOSS,
        EXPEND,
        ORDER_DESTRUCTION,
        DESTROY,
        CHANGE_CUSTODIAN,
        RECOVER,
        EXPORT,
        IMPORT_AGAIN,
        CORRECT,
        VOID,
    )
}
"""Each act's form; undo, draw and arrive ask for acts of these with forms of their own."""
